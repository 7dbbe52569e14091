/** One way in which a secret, or a piece of a long one, may be written. */
export type Spelling = { form: string; bytes: Buffer }

/** Shorter ones would be found by chance. */
export const MIN_SECRET = 8
/** A secret up to here is looked for as a whole, a longer one in pieces: a leak may be cut off. */
const MAX_WHOLE = 32
const PIECE = 24
const MAX_PIECES = 12

/** All the ways in which a secret is looked for. Empty for one that is too short to be told from other text. */
export function listSpellings(secret: string): Spelling[] {
  const found = new Map<string, Spelling>()
  for (const piece of piecesOf(secret))
    for (const { form, bytes } of spell(piece)) {
      const key = bytes.toString('latin1')
      if (bytes.length >= MIN_SECRET && !found.has(key)) found.set(key, { form, bytes })
    }
  return [...found.values()]
}

/** Any 47 characters in a row of a long secret hold one of its pieces. */
function piecesOf(secret: string): string[] {
  const letters = Array.from(secret)
  if (letters.length < MIN_SECRET) return []
  if (letters.length <= MAX_WHOLE) return [secret]
  const starts = Array.from({ length: Math.floor(letters.length / PIECE) }, (_, index) => index * PIECE)
  const kept = [...starts.slice(0, MAX_PIECES - 1), letters.length - PIECE]
  return kept.map((start) => letters.slice(start, start + PIECE).join(''))
}

function spell(piece: string): Spelling[] {
  const bytes = Buffer.from(piece)
  const texts = [
    ['clear', piece],
    ['URL', encodeURIComponent(piece)],
    ['URL', encodeURIComponent(piece).replace(/%../g, (code) => code.toLowerCase())],
    ['form', new URLSearchParams([['', piece]]).toString().slice(1)],
    ['HTML', escapeHtml(piece, '&#x27;')],
    ['HTML', escapeHtml(piece, '&#39;')],
    ...escapeJson(piece).map((text) => ['JSON', text] as const),
    ['hex', bytes.toString('hex')],
    ['hex', bytes.toString('hex').toUpperCase()],
    ...[0, 1, 2].flatMap((shift) => spellBase64(bytes, shift)),
  ] as const
  return [
    ...texts.map(([form, text]) => ({ form, bytes: Buffer.from(text) })),
    { form: 'clear', bytes: Buffer.from(piece, 'latin1') },
  ]
}

/**
 * What stays the same of the base64 of any text that holds these bytes at an offset of `shift` modulo 3: the letters
 * at both ends also hold bits of the neighbours.
 */
function spellBase64(bytes: Buffer, shift: number): (readonly [string, string])[] {
  const bits = (shift + bytes.length) * 8
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
  const own = text.slice(Math.ceil((shift * 8) / 6), Math.floor(bits / 6))
  const urlSafe = own.replaceAll('+', '-').replaceAll('/', '_')
  return [
    ['base64', own],
    ['base64', urlSafe],
    ['base64', encodeURIComponent(own)],
  ]
}

function escapeHtml(text: string, apostrophe: string): string {
  const escapes: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": apostrophe,
  }
  return text.replace(/[&<>"']/g, (letter) => escapes[letter] ?? letter)
}

/** As in a string of JSON, as in such a string within another (pages carry their data so), and both fit for HTML. */
function escapeJson(text: string): string[] {
  const once = JSON.stringify(text).slice(1, -1)
  const twice = JSON.stringify(once).slice(1, -1)
  const asciiOnly = (json: string) =>
    json.replace(/[\u007f-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const forHtml = (json: string) =>
    json.replace(/[<>&]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)
  return [once, twice, forHtml(once), forHtml(twice), asciiOnly(once), asciiOnly(twice)]
}
