import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/*
 * A key is `alc_`, 32 random bytes in base62, and six characters of base62 for the CRC32 of all that precedes them.
 * The check sum keeps typing errors and what scanners guess away from the database, and lets those who search
 * repositories for leaked keys know one when they see it. Base62, so that a double click selects all of it.
 */

const prefix = 'alc_'
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const randomLength = 43 // ⌈256 bits / log2(62)⌉
const sumLength = 6 // ⌈32 bits / log2(62)⌉
const shape = new RegExp(`^${prefix}[0-9A-Za-z]{${randomLength + sumLength}}$`)

/** A new key, as its owner sees it once. */
export function makeKeyText(): string {
  const random = BigInt(`0x${randomBytes(32).toString('hex')}`)
  const body = prefix + toBase62(random, randomLength)
  return body + checkSum(body)
}

/** Whether a text can be a key: its shape and its check sum. */
export function isKeyText(text: string): boolean {
  return shape.test(text) && checkSum(text.slice(0, -sumLength)) === text.slice(-sumLength)
}

/** Whether a text was meant to be a key. */
export function looksLikeKey(text: string): boolean {
  return text.startsWith(prefix)
}

/**
 * What is stored of a key. One round of SHA-256 is enough: slow hashes are for passwords, which can be guessed, and
 * nobody tries 2^256 keys. So a key costs nothing to check, and is found by its hash in an index.
 */
export function hashKeyText(text: string): Buffer<ArrayBuffer> {
  return Buffer.from(createHash('sha256').update(text).digest())
}

function checkSum(body: string): string {
  return toBase62(BigInt(crc32(body)), sumLength)
}

function toBase62(number: bigint, length: number): string {
  let digits = ''
  for (let left = number; digits.length < length; left /= 62n) digits = alphabet[Number(left % 62n)] + digits
  return digits
}
