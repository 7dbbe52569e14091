import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashKeyText, isKeyText, makeKeyText } from '../../lib/auth/key-text'

const runs = { numRuns: 20_000 }
const key = fc.noShrink(fc.constant(null).map(() => makeKeyText()))

test('keys never collide, and each is one', () => {
  const made = Array.from({ length: 20_000 }, () => makeKeyText())
  expect(new Set(made).size).toBe(made.length)
  for (const text of made) expect(text).toMatch(/^alc_[0-9A-Za-z]{49}$/)
  expect(made.filter((text) => !isKeyText(text))).toEqual([])
})

test('the check sum is the CRC32 of what precedes it, in base62', () => {
  fc.assert(
    fc.property(key, (text) => {
      const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
      const sum = [...text.slice(-6)].reduce((total, digit) => total * 62 + digits.indexOf(digit), 0)
      expect(sum).toBe(crc32(text.slice(0, -6)))
    }),
    { numRuns: 2000 },
  )
})

test('a key with any one character changed is none', () => {
  const place = fc.nat()
  const other = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    fc.constantFrom(...'09AZaz_'),
  )
  fc.assert(
    fc.property(key, place, other, (text, at, character) => {
      const index = at % text.length
      fc.pre(text[index] !== character)
      expect(isKeyText(text.slice(0, index) + character + text.slice(index + 1))).toBe(false)
    }),
    runs,
  )
})

test('two characters that changed places, one too many and one too few are seen', () => {
  fc.assert(
    fc.property(key, fc.nat(), (text, at) => {
      const index = at % (text.length - 1)
      const [a = '', b = ''] = text.slice(index, index + 2)
      const before = text.slice(0, index)
      if (a !== b) expect(isKeyText(before + b + a + text.slice(index + 2))).toBe(false)
      expect(isKeyText(before + text.slice(index + 1))).toBe(false)
      expect(isKeyText(before + a + text.slice(index))).toBe(false)
    }),
    runs,
  )
})

test('no text that somebody thought up is a key', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^alc_[0-9A-Za-z]{49}$/),
  )
  fc.assert(
    fc.property(texts, (text) => {
      expect(isKeyText(text)).toBe(false)
    }),
    runs,
  )
})

test('what is stored says nothing of the key, and is the same each time', () => {
  const text = makeKeyText()
  expect(hashKeyText(text)).toEqual(hashKeyText(text))
  expect(hashKeyText(text)).toHaveLength(32)
  expect(hashKeyText(text)).not.toEqual(hashKeyText(makeKeyText()))
})
