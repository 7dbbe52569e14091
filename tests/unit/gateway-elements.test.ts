import fc from 'fast-check'
import { expect, test } from 'vitest'
import { elementsOf } from '../../lib/gateway/elements'

/** JSON with room around its signs, which a server may leave. */
const spread = (json: string) =>
  json.replaceAll(/"(?:[^"\\]|\\.)*"|[[\]{}:,]/g, (part) => (part.startsWith('"') ? part : `\n ${part}\t`))

test('the elements of a list are those that a parser finds, whatever stands around and in them', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()), (list, around) => {
      const { data: _, ...fields } = around
      for (const whole of [list, { ...fields, data: list }, { data: list, ...fields }])
        for (const text of [
          JSON.stringify(whole),
          spread(JSON.stringify(whole)),
          JSON.stringify(whole, null, 2),
        ])
          expect(elementsOf(text).map((element) => JSON.parse(element))).toEqual(
            JSON.parse(JSON.stringify(list)),
          )
    }),
    { numRuns: 500 },
  )
})

test('each is as it was written', () => {
  const odd = [
    '{ "id":"a",  "n":-0.0, "big":12345678901234567890 }',
    '{"id":"\\u00e9\\"]}," }',
    '1e2',
    '"[,]"',
  ]
  expect(elementsOf(`{"object":"list", "data" : [ ${odd.join(' ,\n')} ] }`)).toEqual(odd)
  expect(elementsOf(`[${odd.join()}]`)).toEqual(odd)
})

test.each([
  '{"data":null}',
  '{"data":{"data":[1]}}',
  '{"other":[1,2],"more":{"data":[3]}}',
  '{"a":"data","b":[1]}',
  '{"data":[]}',
  '[]',
  '"[1,2]"',
  '7',
])('where no list is, there are no elements: %s', (text) => {
  expect(elementsOf(text)).toEqual([])
})

test('a text of megabytes is no burden', () => {
  const long = JSON.stringify({ id: `${'\\"x'.repeat(500_000)}` })
  expect(elementsOf(`{"data":[${long},${long}]}`)).toEqual([long, long])
})
