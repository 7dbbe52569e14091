import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readAsked } from '@/lib/gateway/asked'

const read = (body: string) =>
  readAsked({
    path: '/responses',
    request: new Request('http://here/v1/responses', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    }),
  })
const sent = async (body: string) => Buffer.from((await read(body)).bytes).toString()

test.each([
  ['{"conversation":"conv_1","conversation":null}', '{"conversation":null}'],
  ['{"a":[{"b":{"c":1,"c":{"d":[2]}}}]}', '{"a":[{"b":{"c":{"d":[2]}}}]}'],
  ['{"a":"x","\\u0061":"y"}', '{"a":"y"}'],
  ['{"a":"\\\\\\":","a":1}', '{"a":1}'],
  ['{"a":{"b":1},"a":2}', '{"a":2}'],
])('of fields that are there twice, those are sent that were looked at: %s', async (body, kept) => {
  expect(await sent(body)).toBe(kept)
})

test('any other body is sent byte for byte', async () => {
  for (const body of [
    '{ "n" : 1.0, "big": 12345678901234567890, "text": "a:\\"b\\": \\\\" }',
    '{}',
    '{"":{"":[":"]}}',
  ])
    expect(await sent(body)).toBe(body)
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(3), async (value, space) => {
      const { model: _, ...rest } = value
      const body = JSON.stringify(rest, null, space)
      expect(await sent(body)).toBe(body)
    }),
  )
})
