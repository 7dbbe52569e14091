import type { TokenUsage } from '../contracts/conversations'
import { parseJson, readUsage } from '../providers'

const name = Buffer.from('"usage"')
/** Without its first quote, of which JSON is full: a search halts at each. */
const needle = name.subarray(1)
const [quoteMark, colon, open, close] = Buffer.from('":{}')
const newline = 0x0a
/** A longer object is no count of tokens. */
const maxBytes = 8192
/** Callers may name a field of a tool so. */
const counts = /"(?:input|prompt)_tokens"\s*:\s*\d/

/** Finds the last count of tokens in bytes that pass, cut anywhere, without taking anything else apart. */
export class LastUsage {
  /** What may be the beginning of a count. */
  #rest: Buffer | null = null
  #last: string | null = null

  take(bytes: Buffer): void {
    const all = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes])
    this.#rest = null
    for (let at = all.indexOf(needle); at !== -1; at = all.indexOf(needle, at + needle.length)) {
      const start = all[at - 1] === quoteMark ? startOfObject(all, at + needle.length) : null
      if (start === null) continue
      const end = endOfObject(all, start)
      if (end !== -1) this.#note(all.toString('utf8', start, end))
      // A copy: the piece that it came in is not to be held for it.
      else if (all.length - at <= maxBytes) this.#rest = Buffer.from(all.subarray(at - 1))
      if (this.#rest !== null) return
    }
    this.#rest = beginningOfName(all)
  }

  read(): TokenUsage | null {
    return this.#last === null ? null : readUsage({ usage: parseJson(this.#last) })
  }

  #note(object: string): void {
    if (counts.test(object)) this.#last = object
  }
}

const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** Where the object begins that this name is of, or the bytes end before it; null where something else is called so. */
function startOfObject(bytes: Buffer, from: number): number | null {
  let at = from
  while (isSpace(bytes[at])) at++
  if (at < bytes.length && bytes[at] !== colon) return null
  at++
  while (isSpace(bytes[at])) at++
  return at >= bytes.length || bytes[at] === open ? at : null
}

/** Where the object that begins at `start` ends (exclusive), or -1. Figures only: no braces stand in its texts. */
function endOfObject(bytes: Buffer, start: number): number {
  let depth = 0
  const last = Math.min(bytes.length, start + maxBytes)
  for (let at = start; at < last; at++) {
    if (bytes[at] === open) depth++
    else if (bytes[at] === close && --depth === 0) return at + 1
  }
  return -1
}

/** What of the name these bytes end with; most pieces end with an event. */
function beginningOfName(bytes: Buffer): Buffer | null {
  if (bytes[bytes.length - 1] === newline) return null
  const at = bytes.lastIndexOf(quoteMark as number)
  const length = bytes.length - at
  if (at === -1 || length >= name.length) return null
  return name.subarray(0, length).equals(bytes.subarray(at)) ? Buffer.from(bytes.subarray(at)) : null
}
