import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Asked, rewrite } from '@/lib/gateway/asked'
import { writeJson } from '@/lib/gateway/exact-numbers'

const write = (text: string, change: (value: Record<string, unknown>) => object = (value) => value) =>
  writeJson(change(JSON.parse(text)), Buffer.from(text))

test('an integer keeps its digits, however deep it is', () => {
  const text = '{"seed":9223372036854775807,"metadata":{"ids":[-12345678901234567891,1]},"n":2}'
  expect(write(text)).toBe(text)
  expect(write(text, ({ seed, ...rest }) => ({ seed, model: 'other', ...rest }))).toContain(
    '"seed":9223372036854775807,"model":"other"',
  )
})

test('what is changed is written as it is now', () => {
  expect(write('{"seed":9223372036854775807}', () => ({ seed: 7 }))).toBe('{"seed":7}')
})

test('no number gets the digits of another one', () => {
  const text =
    '{"a":{"id":9223372036854775807},"b":{"id":9223372036854775806},"c":{"id":9223372036854775807}}'
  expect(write(text)).toBe(JSON.stringify(JSON.parse(text)))
})

test('texts are no numbers', () => {
  const text =
    '{"a":"9223372036854775807","b":"\\"seed\\":9223372036854775807","c":{"9223372036854775807":1}}'
  expect(write(text)).toBe(text)
})

test('all other numbers are written as ever', () => {
  fc.assert(
    fc.property(fc.json(), fc.double({ noNaN: true, noDefaultInfinity: true }), (other, number) => {
      const text = `{"a":${other},"b":${number},"c":1234567890123456}`
      expect(write(text)).toBe(JSON.stringify(JSON.parse(text)))
    }),
  )
})

test('any integer of 64 bits comes through a rewritten call', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (seed) => {
      const bytes = Buffer.from(`{"model":"a","seed":${seed}}`)
      const asked = {
        path: '/chat/completions' as const,
        bytes,
        body: JSON.parse(String(bytes)),
        model: 'a',
        isStream: false,
      } satisfies Asked
      const once = rewrite(asked, { model: 'b' })
      const twice = rewrite(once, { stream: true })
      expect(String(twice.bytes)).toBe(`{"model":"b","seed":${seed},"stream":true}`)
    }),
  )
})
