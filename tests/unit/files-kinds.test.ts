import fc from 'fast-check'
import { expect, test } from 'vitest'
import { kindOf, Sniffer } from '../../lib/files/kinds'

function typeOf(content: Uint8Array, pieces: number[] = [], name = 'file'): string | null {
  const sniffer = new Sniffer()
  const bytes = Buffer.from(content)
  let at = 0
  for (const length of [...pieces, bytes.length]) {
    sniffer.see(bytes.subarray(at, at + length))
    at += length
  }
  try {
    return sniffer.mimeType(name)
  } catch {
    return null
  }
}

const pieces = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 60 })

test('a text is a text in whatever pieces it comes, and by whatever name', () => {
  const text = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 100 })
    .map((given) => given.replace(/\p{Cc}/gu, ' '))
  fc.assert(
    fc.property(text, pieces, fc.constantFrom('a.png', 'a.exe', 'a', 'a.pdf'), (given, cuts, name) => {
      expect(typeOf(Buffer.from(`x${given.toWellFormed()}`), cuts, name)).toBe('text/plain')
    }),
    { numRuns: 2000 },
  )
})

test('what is not UTF-8 is no text, wherever it is cut', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.uint8Array({ maxLength: 10 }),
      pieces,
      (before, after, cuts) => {
        const content = Buffer.concat([Buffer.from('x'), before, Buffer.from([0xff]), after])
        expect(typeOf(content, cuts)).toBeNull()
      },
    ),
    { numRuns: 2000 },
  )
})

test('bytes are taken for a text only where all of them are one', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), pieces, (content, cuts) => {
      if (typeOf(content, cuts) === 'text/plain')
        expect(() => new TextDecoder('utf-8', { fatal: true }).decode(content)).not.toThrow()
    }),
    { numRuns: 5000 },
  )
})

test.each([
  ['a character that is cut off at the end', Buffer.from('ü').subarray(0, 1)],
  ['NUL', Buffer.from('a\0b')],
  ['UTF-16', Buffer.from('\ufeffabc', 'utf16le')],
])('%s is no text', (_, content) => expect(typeOf(content)).toBeNull())

test('colours of a terminal, pages and a mark of byte order are text', () => {
  expect(typeOf(Buffer.from('\ufeff\u001b[31mred\u001b[0m\f\r\n'))).toBe('text/plain')
})

test.each([
  ['89504e470d0a1a0a0000000d49484452', 'image/png', 'image'],
  ['ffd8ffe000104a464946', 'image/jpeg', 'image'],
  ['474946383961', 'image/gif', 'image'],
  ['524946460a0b0c0d5745425056503820', 'image/webp', 'image'],
  ['255044462d312e370a', 'application/pdf', 'pdf'],
])('%s… is %s in whatever pieces, and whatever its name', (hex, mimeType, kind) => {
  fc.assert(
    fc.property(pieces, fc.uint8Array({ maxLength: 40 }), (cuts, more) => {
      const content = Buffer.concat([Buffer.from(hex, 'hex'), more])
      expect(typeOf(content, cuts, 'notes.txt')).toBe(mimeType)
    }),
  )
  expect(kindOf(mimeType)).toBe(kind)
})

test.each([
  ['a.md', 'text/markdown'],
  ['a.csv', 'text/csv'],
  ['a.json', 'application/json'],
  ['a.html', 'text/plain'],
  ['a.svg', 'text/plain'],
])('of a text %s, the name tells which', (name, mimeType) => {
  expect(typeOf(Buffer.from('<x/>'), [], name)).toBe(mimeType)
  expect(kindOf(mimeType)).toBe('text')
})
