import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormHash } from '@/lib/gateway/form-hash'

// Which form it is: the same whatever boundary its sender made up, and another one for all that a server could tell apart.

type Part = { head: string; content: string | Buffer }
const latin1 = (text: string | Buffer) => (typeof text === 'string' ? Buffer.from(text, 'latin1') : text)

const field = (name: string, value: string): Part => ({ head: `name="${name}"`, content: value })
const file = (content: string | Buffer, filename = 'a.jsonl'): Part => ({
  head: `name="file"; filename="${filename}"\r\nContent-Type: text/plain`,
  content,
})

type Around = { preamble?: string; blanks?: string; close?: string; epilogue?: string }

function formOf(parts: Part[], boundary = 'bound', around: Around = {}): Buffer {
  const { preamble = '', blanks = '', close = `\r\n--${boundary}--`, epilogue = '\r\n' } = around
  const pieces = parts.map(({ head, content }, index) => {
    const delimiter = `${index === 0 ? '' : '\r\n'}--${boundary}${blanks}\r\n`
    return Buffer.concat([
      latin1(`${delimiter}Content-Disposition: form-data; ${head}\r\n\r\n`),
      latin1(content),
    ])
  })
  return Buffer.concat([latin1(preamble), ...pieces, latin1(close + epilogue)])
}

const typeOf = (boundary: string) => `multipart/form-data; boundary=${boundary}`

/** The hash of a form that comes in these pieces. */
function hashPieces(pieces: Iterable<Uint8Array>, type = typeOf('bound')): string {
  const hash = new FormHash(type)
  for (const piece of pieces) hash.update(piece)
  return hash.finish().toString('hex')
}
const hashOf = (form: Buffer | string, type?: string) => hashPieces([latin1(form)], type)

/** The form in pieces that begin at these places. */
function cut(form: Buffer, places: number[]): Buffer[] {
  const sorted = places.map((place) => place % (form.length + 1)).toSorted((a, b) => a - b)
  return [0, ...sorted].map((start, index) => form.subarray(start, sorted[index] ?? form.length))
}

const parts = [field('purpose', 'batch'), file('{"a":1}\n{"b":2}\r\n')]
const plain = formOf(parts)

describe('the same form', () => {
  test.each(['----formdata-undici-0123456789', '--', "odd'()+_,-./:=?", 'x'.repeat(70), '-'])(
    'is the same with another boundary: %s',
    (boundary) => {
      const quoted = (name: string) => `multipart/form-data; charset=x; boundary="${name}"; more=1`
      expect(hashOf(formOf(parts, boundary), quoted(boundary))).toBe(hashOf(plain, quoted('bound')))
    },
  )

  test('is the same with its boundary in quotes or not, and with blanks inside them', () => {
    expect(hashOf(plain, 'multipart/form-data; boundary="bound"')).toBe(hashOf(plain))
    expect(hashOf(formOf(parts, 'of two words'), 'multipart/form-data; boundary="of two words"')).toBe(
      hashOf(plain),
    )
  })

  test('is the same cut in two at any place, and byte by byte', () => {
    const odd = formOf([file('\r\n--boun\r\n\r\n--\n--bound \r\r\n--bound-'), ...parts], 'bound', {
      preamble: 'before\r\n',
      blanks: ' \t ',
      epilogue: ' \r\n\r\n--bound\r\nafter',
    })
    for (const form of [plain, odd]) {
      const whole = hashOf(form)
      for (let at = 0; at <= form.length; at++) expect(hashPieces(cut(form, [at])), String(at)).toBe(whole)
      expect(hashPieces([...form].map((byte) => Uint8Array.of(byte)))).toBe(whole)
    }
  })

  test('is the same cut anywhere, whatever it holds', () => {
    // What delimiters are made of comes often.
    const bits = fc.constantFrom('\r\n--bound', '\r\n', '\r', '\n', '-', '--', 'bound', ' ', '\t', 'x', ': ')
    const soup = fc.array(bits, { maxLength: 40 }).map((all) => latin1(all.join('')))
    fc.assert(
      fc.property(soup, fc.array(fc.nat(400), { maxLength: 12 }), (form, places) => {
        expect(hashPieces(cut(form, places))).toBe(hashOf(form))
      }),
      { numRuns: 2000 },
    )
  })

  test('is the same with any boundary and any cut, whatever its contents', () => {
    const letters = fc.constantFrom(...'abc-_=5')
    const boundaries = fc.string({ unit: letters, minLength: 20, maxLength: 60 })
    const bits = fc.constantFrom('\r\n--', '\r\n', '\r', '\n', '-', 'x', '\0', '\xff')
    const contents = fc.array(fc.array(bits, { maxLength: 20 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(contents, boundaries, fc.array(fc.nat(2000), { maxLength: 8 }), (all, boundary, places) => {
        const same = all.map((content) => file(content.join('')))
        const pieces = cut(formOf(same, boundary), places)
        expect(hashPieces(pieces, typeOf(boundary))).toBe(hashOf(formOf(same)))
      }),
      { numRuns: 1000 },
    )
  })

  test.each([
    ['a preamble', { preamble: 'This is a form.\r\n' }],
    ['an epilogue', { epilogue: '\r\nThe end.\r\n--bound\r\n' }],
    ['blanks after its boundaries', { blanks: ' \t  ' }],
    ['no line end at its end', { epilogue: '' }],
  ])('is the same with %s', (_, around) => {
    expect(hashOf(formOf(parts, 'bound', around))).toBe(hashOf(plain))
  })

  test('is known as soon as it is closed, and its pieces stay as they came', () => {
    const hash = new FormHash(typeOf('bound'))
    const end = plain.length - 2
    const before = Buffer.from(plain)
    hash.update(plain.subarray(0, end - 1))
    expect(hash.known).toBeNull()
    hash.update(plain.subarray(end - 1, end))
    const known = hash.known?.toString('hex')
    expect(known).toBe(hashOf(plain))
    hash.update(Buffer.from('\r\nmore'))
    expect(hash.finish().toString('hex')).toBe(known)
    expect(plain.equals(before)).toBe(true)
  })

  test('of more parts than any server takes is the same, cut anywhere; with another boundary it need not be', () => {
    const many = (last: string) => formOf([...Array.from({ length: 3000 }, () => field('x', '')), file(last)])
    const form = many('one')
    expect(hashPieces(cut(form, [7, 400, 100_001, 150_000]))).toBe(hashOf(form))
    expect(hashPieces([...form].map((byte) => Uint8Array.of(byte)))).toBe(hashOf(form))
    expect(hashOf(many('two'))).not.toBe(hashOf(form))
  })

  test('of some MB is the same in pieces of any size', () => {
    const content = Buffer.alloc(5_000_000, '{"n":1}\r\n--boun\r\n')
    const form = formOf([...parts, file(content)])
    const whole = hashOf(form)
    for (const size of [1021, 65_536, 1_000_003]) {
      const places = Array.from({ length: Math.floor(form.length / size) }, (_, n) => (n + 1) * size)
      expect(hashPieces(cut(form, places))).toBe(whole)
    }
  })
})

test('another form is another one, in whatever it differs', () => {
  const [purpose, content] = [field('purpose', 'batch'), file('one\r\n')]
  const forms: Record<string, Buffer> = {
    usual: formOf([purpose, content]),
    'other content': formOf([purpose, file('two\r\n')]),
    'a byte less': formOf([purpose, file('one\r')]),
    'a line end more': formOf([purpose, file('one\r\n\r\n')]),
    'another name of the file': formOf([purpose, file('one\r\n', 'b.jsonl')]),
    'another value': formOf([field('purpose', 'evals'), content]),
    'another field': formOf([field('purposes', 'batch'), content]),
    'another order': formOf([content, purpose]),
    'a part twice': formOf([purpose, content, content]),
    'a part less': formOf([content]),
    'a field more': formOf([purpose, content, field('x', '')]),
    'an empty field elsewhere': formOf([purpose, field('x', ''), content]),
    'content in the part before': formOf([field('purpose', 'batcho'), file('ne\r\n')]),
    'content in the head': formOf([purpose, { head: `${content.head}one`, content: '\r\n' }]),
    'the end of the head in the content': formOf([
      purpose,
      { head: 'name="file"', content: `${content.head.split('\r\n')[1]}\r\n\r\none\r\n` },
    ]),
    'one part that holds the other': formOf([
      {
        head: purpose.head,
        content: `batch\r\n--else\r\nContent-Disposition: ${content.head}\r\n\r\none\r\n`,
      },
    ]),
    'no parts': Buffer.from('--bound--\r\n'),
    nothing: Buffer.alloc(0),
  }
  const hashes = Object.values(forms).map((form) => hashOf(form))
  expect(new Set(hashes).size).toBe(hashes.length)
})

describe('what looks like a boundary and is none', () => {
  const near = [
    '\r\n--',
    '\r\n--boun',
    '\n--bound\r\n',
    '\r--bound\r\n',
    '--bound',
    '\r\n-bound\r\n',
    '\r\n--Bound',
  ]
  test.each(near)('is content: %j', (text) => {
    const form = formOf([file(`a${text}b`), ...parts])
    const other = formOf([file(`a${text}c`), ...parts])
    expect(hashOf(form)).not.toBe(hashOf(other))
    // What it was cut out of does not matter.
    expect(hashPieces([...form].map((byte) => Uint8Array.of(byte)))).toBe(hashOf(form))
  })

  test.each(['\r\n--bound!', '\r\n--boundary', '\r\n--bound -- ', '\r\n--bound-', '\r\n--bound \r'])(
    'in a line of its own, servers may take it for one: %j is neither plain content nor an end',
    (text) => {
      const hash = (tail: string, boundary = 'bound') =>
        hashOf(formOf([file(`a${text}${tail}`), ...parts], boundary), typeOf(boundary))
      expect(hash('b')).toBe(hash('b'))
      expect(hash('b')).not.toBe(hash('c'))
      // As content of a form with another boundary it says something else to such a server.
      expect(hash('b')).not.toBe(hash('b', 'other'))
      // To others it is content, which names another thing here.
      const renamed = formOf([file(`a${text.replace('bound', 'other')}b`), ...parts], 'other')
      expect(hash('b')).not.toBe(hashOf(renamed, typeOf('other')))
    },
  )

  test('blanks without end after a boundary are content, and no memory', () => {
    const blanks = (count: number) => formOf([file(`a\r\n--bound${' '.repeat(count)}b`), ...parts])
    expect(hashOf(blanks(100_000))).not.toBe(hashOf(blanks(100_001)))
    expect(hashOf(blanks(1))).not.toBe(hashOf(blanks(2)))
    const form = blanks(200)
    expect(hashPieces([...form].map((byte) => Uint8Array.of(byte)))).toBe(hashOf(form))
  })
})

describe('a form that is none', () => {
  const [one, two] = ['one', 'two'].map((content) => formOf([file(content)]).toString('latin1')) as [
    string,
    string,
  ]

  test.each<[string, (form: string) => string]>([
    ['is not closed', (form) => form.replace('--bound--', '')],
    ['ends within its last boundary', (form) => form.replace('--bound--\r\n', '--bound-')],
    ['ends after a boundary', (form) => form.replace('--bound--\r\n', '--bound')],
    ['has line feeds alone', (form) => form.replaceAll('\r\n', '\n')],
    ['has line feeds alone, and something before', (form) => `before\n${form.replaceAll('\r\n', '\n')}`],
    ['begins with its end', (form) => `--bound--\r\n${form}`],
    ['begins with a line that is half a boundary', (form) => `--bound--x\r\n${form}`],
    ['has an end in place of a head', (form) => `--bound\r\n--bound--\r\n${form}`],
    ['has an end after a line feed', (form) => `--bound\r\nA: b\r\n\r\n\n--bound--\r\n${form}`],
    ['has none of its boundaries', (form) => form.replaceAll('bound', 'other')],
    ['has line feeds alone, then others', (form) => `${form.replaceAll('\r\n', '\n')}${one}`],
  ])('is another one with other contents, and the same again: it %s', (_, spoil) => {
    expect(spoil(one)).not.toBe(one)
    expect(hashOf(spoil(one))).toBe(hashOf(spoil(one)))
    expect(hashOf(spoil(one))).not.toBe(hashOf(spoil(two)))
    expect(hashOf(spoil(one))).not.toBe(hashOf(one))
  })

  test.each([
    'multipart/form-data; boundary=bound; boundary=other',
    'multipart/form-data; boundary=other; boundary=bound',
    'multipart/form-data; x="; boundary=other"; boundary=bound',
    'multipart/form-data; boundary*=bound; boundary=other',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=""',
    'multipart/form-data; boundary="bo\\und"',
    'multipart/form-data; boundary=bound other',
    'multipart/form-data; no-boundary=bound',
  ])('with no one boundary it is what its bytes are: %s', (type) => {
    expect(hashOf(plain, type)).toBe(hashOf(plain, type))
    for (const boundary of ['bound', 'other']) {
      const endingIn = (text: string) => formOf(parts, boundary, { epilogue: text })
      expect(hashOf(endingIn('\r\nx'), type)).not.toBe(hashOf(endingIn('\r\ny'), type))
    }
    expect(hashOf(plain, type)).not.toBe(hashOf(plain))
  })
})

test('what else its type says counts, too', () => {
  const type = (more: string) => `multipart/form-data; charset=${more}; boundary=bound`
  expect(hashOf(plain, type('x'))).not.toBe(hashOf(plain, type('y')))
})

test('it is made of SHA-256, of each part by its length', () => {
  const form = Buffer.from('--bound\r\nA: b\r\n\r\nhello\r\n--bound--')
  const expected = createHash('sha256')
  const record = (text: string, kind: number) => {
    const length = Buffer.alloc(8)
    length.writeBigUInt64BE(BigInt(text.length))
    expected.update(Buffer.from(text, 'latin1')).update(Buffer.of(kind)).update(length)
  }
  record('', 1)
  record('\r\nA: b\r\n\r\nhello\r', 2)
  record('multipart/form-data\0', 0)
  expect(hashOf(form)).toBe(expected.digest('hex'))
})
