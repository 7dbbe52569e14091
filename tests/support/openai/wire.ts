import { randomBytes } from 'node:crypto'
import type { Body } from './types.ts'

const floatMark = '\u0001float:'

/** A number written with its decimal point, as OpenAI writes floats: `1.0`, `-0.0`. */
export class Float {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
  toJSON(): string {
    const text = Object.is(this.value, -0) ? '-0' : String(this.value)
    return floatMark + (/[.e]/.test(text) ? text : `${text}.0`)
  }
}

const unmarkFloats = (json: string): string =>
  json.includes('\\u0001float:') ? json.replaceAll(/"\\u0001float:([^"]*)"/g, '$1') : json

/** Writes one line of JSON in UTF-8, as in streams. */
export function encodeLine(value: unknown): string {
  return unmarkFloats(JSON.stringify(value))
}

/** Writes indented JSON, as in bodies of chat and of errors. */
export function encodePretty(value: unknown): string {
  return unmarkFloats(JSON.stringify(value, null, 2))
}

/** Writes indented JSON with everything beyond ASCII escaped, as in bodies of `/responses`. */
export function encodeAscii(value: unknown): string {
  const escapeUnit = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return encodePretty(value).replaceAll(/[\u0080-\uffff]/g, escapeUnit)
}

/** Makes an id such as `resp_` and 50 hexadecimal digits. */
export function makeId(prefix: string): string {
  return `${prefix}_${randomBytes(25).toString('hex')}`
}

/** Makes an id such as `call_` and letters and digits. */
export function makeShortId(prefix: string, length = 24): string {
  return prefix + randomLetters(length)
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

function randomLetters(count: number): string {
  return Array.from(randomBytes(count), (byte) => alphabet[byte % alphabet.length]).join('')
}

/** Letters to cut padding from: drawing it anew for each of thousands of deltas would cost more than the rest. */
const padding = randomLetters(4096)

/** Makes the `obfuscation` that pads a delta to a multiple of 16 characters. */
export function obfuscate(delta: string): string {
  const from = Math.floor(Math.random() * (padding.length - 16))
  return padding.slice(from, from + ((16 - (delta.length % 16)) % 16))
}

/** Puts the keys of an event in the order of the wire: `type`, then by alphabet. */
export function orderEvent(event: Body): Body {
  const { type, ...rest } = event
  return { type, ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))) }
}

/** Seconds since 1970, as in `created_at`. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
