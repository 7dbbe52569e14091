/** Texts of up to this length (UTF-16 units) cannot hold enough to hurt. */
const smallUnits = 1024 * 1024
/** As many objects and lists are taken in one text: a few letters each, they take thirty times their room. */
const maxBrackets = 1024 * 1024

function isIntricate(text: string): boolean {
  if (text.length <= smallUnits) return false
  let brackets = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 0x5b || unit === 0x7b) brackets++
  }
  return brackets > maxBrackets
}

/** The value as parsed JSON, or undefined where it is none; the parser's own error would quote the text. */
export function parseJson(text: string): unknown {
  if (isIntricate(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The value at a path into parsed JSON, or undefined where the path ends early. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  let here = value
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined
    here = (here as Record<string | number, unknown>)[key]
  }
  return here
}

/** The string at a path; anything else is null. */
export function stringAt(value: unknown, ...path: (string | number)[]): string | null {
  const found = at(value, ...path)
  return typeof found === 'string' ? found : null
}

/** The list at a path; anything else is empty. */
export function listAt(value: unknown, ...path: (string | number)[]): unknown[] {
  const found = at(value, ...path)
  return Array.isArray(found) ? found : []
}

/** No count of an answer is larger; the database has no room for much more. */
const largestCount = 1_000_000_000

/** The count at a path, a whole number from 0 to a billion; anything else is undefined. */
export function countAt(value: unknown, ...path: (string | number)[]): number | undefined {
  const found = at(value, ...path)
  const isCount = Number.isInteger(found) && (found as number) >= 0 && (found as number) <= largestCount
  return isCount ? (found as number) : undefined
}
