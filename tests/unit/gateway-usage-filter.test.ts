import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UsageFilter } from '../../lib/gateway/usage-filter'

const chunk = (body: object) => `data: ${JSON.stringify(body)}\n\n`
const words = ['Hel', 'lo 世', '界 \n\n "choices":[] "usage":{'].map((content) =>
  chunk({ choices: [{ index: 0, delta: { content } }], usage: null }),
)
const use = chunk({
  id: 'c',
  choices: [],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
})
const done = 'data: [DONE]\n\n'

async function filter(pieces: Uint8Array[]): Promise<string> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })
  return new Response(new UsageFilter().filter(source)).text()
}

function cut(text: string, places: number[]): Uint8Array[] {
  const bytes = Buffer.from(text)
  const ends = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b)
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

test('the event about the use is taken out and all others stay, wherever the stream is cut', async () => {
  const whole = [...words, use, done].join('')
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(2000), { maxLength: 30 }), fc.boolean(), async (places, isCrlf) => {
      const ended = (text: string) => (isCrlf ? text.replaceAll('\n', '\r\n') : text)
      expect(await filter(cut(ended(whole), places))).toBe(ended([...words, done].join('')))
    }),
    { numRuns: 300 },
  )
})

test('an event is passed on as soon as it is whole', () => {
  const filtering = new UsageFilter()
  const bytes = Buffer.from(words[0] ?? '')
  expect(filtering.take(bytes.subarray(0, -1)).length).toBe(0)
  expect(filtering.take(bytes.subarray(-1)).toString()).toBe(words[0])
})

test('a stream that ends in the middle of an event, and one long event, pass whole', async () => {
  const long = chunk({ choices: [{ delta: { content: 'x'.repeat(50_000) } }] })
  expect(await filter([Buffer.from(long.slice(0, 30_000)), Buffer.from(long.slice(30_000))])).toBe(long)
  expect(await filter([Buffer.from(`${words[0]}data: {"cho`)])).toBe(`${words[0]}data: {"cho`)
})

test('a reader who leaves has the source left, and a source that breaks is told of', async () => {
  let left: unknown
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(Buffer.from(words[0] ?? '')),
    cancel: (reason) => {
      left = reason
    },
  })
  const reader = new UsageFilter().filter(endless).getReader()
  await reader.read()
  await reader.cancel('enough')
  expect(left).toBe('enough')
  const broken = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new Error('broken')),
  })
  await expect(new Response(new UsageFilter().filter(broken)).text()).rejects.toThrow()
})

test('nothing is read before it is wanted', async () => {
  let pulls = 0
  const source = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        pulls += 1
        controller.enqueue(Buffer.from(words[0] ?? ''))
      },
    },
    { highWaterMark: 0 },
  )
  const reader = new UsageFilter().filter(source).getReader()
  expect(pulls).toBe(0)
  await reader.read()
  expect(pulls).toBe(1)
})
