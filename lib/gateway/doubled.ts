import { lookThrough } from './look-through'

const quote = 0x22
const colon = 0x3a
const backslash = 0x5c

/**
 * Whether an object in these bytes has a field twice, so that one who reads them may take it for another than what was
 * read here. The bytes are JSON, and `value` is what they were read as.
 */
export function hasDoubledFields(bytes: Uint8Array, value: unknown): boolean {
  let read = 0
  lookThrough(value, (object) => {
    const parts = Object.values(object)
    read += parts.length
    return parts
  })
  return countFields(bytes) !== read
}

/** Each field has a colon, and outside of texts nothing else has. */
function countFields(bytes: Uint8Array): number {
  let count = 0
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === quote) at = endOfText(bytes, at)
    else if (bytes[at] === colon) count += 1
  }
  return count
}

function endOfText(bytes: Uint8Array, begin: number): number {
  let end = bytes.indexOf(quote, begin + 1)
  while (end !== -1 && isEscaped(bytes, end)) end = bytes.indexOf(quote, end + 1)
  return end === -1 ? bytes.length : end
}

function isEscaped(bytes: Uint8Array, at: number): boolean {
  let before = at
  while (bytes[before - 1] === backslash) before -= 1
  return (at - before) % 2 === 1
}
