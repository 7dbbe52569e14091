/** Names of what is nobody's to read, whatever stands before or after, in any case and spelling. */
const secretName =
  /authorization|cookie|api[-_]?key|password|passwd|secret|token(?!s$|_?count|_?ms$|Ms$)|credentials?$|^(lent)?key$/i
/** What looks like a key, a session or an address with a password, wherever it stands. */
const secretText =
  /\b(?:[spr]k[-_]|alc_)[\w-]{8,}|\b(?:Bearer|Basic)\s+[\w.~+/=-]{8,}|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?<=:\/\/[^\s/:@]{0,200}:)[^\s/@]{1,500}(?=@)/gi

const hidden = '[redacted]'
const maxDepth = 6
const maxFields = 200

/**
 * What may go into the log of a value: fields with the name of a secret are left out of it, whatever looks like a key in
 * texts too, and what is deeper than six levels.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return value
  if (depth >= maxDepth) return '[deeper]'
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (Array.isArray(value)) return value.slice(0, maxFields).map((part) => redact(part, depth + 1))
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, maxFields)
      .map(([name, part]) => [name, secretName.test(name) ? hidden : redact(part, depth + 1)]),
  )
}

/** A text without what looks like a key in it. */
export function redactText(text: string): string {
  return text.replace(secretText, hidden)
}
