import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cleanFilename, contentDisposition } from '../../lib/files/names'

const anyName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.string({ unit: 'grapheme', maxLength: 400 }),
  fc.string({
    unit: fc.constantFrom('.', '/', '\\', '\u202e', '\u0000', '\r', '\n', 'a', '\u{1F600}', '\ud83d'),
    maxLength: 300,
  }),
)

test('whatever a file is called, what is shown of it is one short line without folders and without what is not seen', () => {
  fc.assert(
    fc.property(anyName, (given) => {
      const name = cleanFilename(given)
      expect(name.length).toBeGreaterThan(0)
      expect(name.length).toBeLessThanOrEqual(200)
      expect(name).not.toMatch(/[/\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      expect(name).not.toMatch(/^\./)
      expect(name.isWellFormed()).toBe(true)
      expect(cleanFilename(name)).toBe(name)
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['../../etc/passwd', 'passwd'],
  ['C:\\Users\\ann\\report.pdf', 'report.pdf'],
  ['invoice\u202egpj.exe', 'invoicegpj.exe'],
  ['..', 'file'],
  ['', 'file'],
  ['.env', 'env'],
  ['Grüße aus Köln.txt', 'Grüße aus Köln.txt'],
  ['two\r\nlines.txt', 'twolines.txt'],
])('%j is shown as %j', (given, shown) => expect(cleanFilename(given)).toBe(shown))

test('a long name keeps its ending', () => {
  expect(cleanFilename(`${'a'.repeat(500)}.tar`)).toMatch(/^a+….tar$/u)
})

test('a name cannot break out of its header, and comes back as it was', () => {
  fc.assert(
    fc.property(anyName.map(cleanFilename), (name) => {
      const header = contentDisposition('attachment', name)
      expect(header).toMatch(/^attachment; filename="[^"\\]*"; filename\*=UTF-8''[\w.!#$&+^`|~%-]+$/)
      expect(new Headers({ 'content-disposition': header }).get('content-disposition')).toBe(header)
      // The name stands there twice, once in a form that may hold such quotes itself.
      expect(decodeURIComponent(header.split("''").at(-1) ?? '')).toBe(name)
    }),
    { numRuns: 2000, examples: [["''"]] },
  )
})
