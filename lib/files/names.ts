const maxNameLength = 200

/** Directions, joiners and the like, which show a name as another than it is. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu

/**
 * The name of a file as it is shown: without folders, control characters, overrides of direction and the rest of what
 * is not seen; at most 200 characters, of which the ending is kept. Nothing on the disk is called so.
 */
export function cleanFilename(given: string): string {
  const last = given.toWellFormed().split(/[/\\]/).at(-1) ?? ''
  const shown = last
    .replace(unseen, '')
    .replace(/\s+/gu, ' ')
    .replace(/^[.\s]+/, '')
    .trim()
  return shorten(shown.normalize('NFC')) || 'file'
}

function shorten(name: string): string {
  if (name.length <= maxNameLength) return name
  const ending = /\.[^.\s]{1,16}$/u.exec(name)?.[0] ?? ''
  const begin = name.slice(0, maxNameLength - ending.length - 1)
  // What a cut leaves of a character that takes two units.
  return `${begin.toWellFormed().replace(/\ufffd$/, '')}…${ending}`
}

/** The header that has a browser save a file, or show it where that is harmless (RFC 6266 and 8187). */
export function contentDisposition(how: 'attachment' | 'inline', filename: string): string {
  const plain = filename.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const exact = encodeURIComponent(filename).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${how}; filename="${plain}"; filename*=UTF-8''${exact}`
}
