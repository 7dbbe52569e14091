import fc from 'fast-check'
import type { Provider, Said } from './model-frames'
import { framesOf } from './model-frames'

/** How many cases a fuzz test tries: few with the other tests, 100,000 in the long run (`npm run test:fuzz`). */
export const fuzzCases = Number(process.env.FUZZ_CASES ?? 2000)

type Value = unknown

/** Units of UTF-16, so that characters are cut in two as well, and what else is hard to carry. */
const unit = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
  fc.constantFrom('\ud83d', '\ude00', '\0', '\ufeff', '\u2028', '\n', '\r', '"', '\\', 'data: ', '[DONE]'),
)
const piece = fc.oneof(
  fc.array(unit, { maxLength: 6 }).map((units) => units.join('')),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ maxLength: 8 }),
)
const said = fc.record<Said>({
  kind: fc.constantFrom('text', 'text', 'reasoning', 'refusal'),
  piece,
  part: fc.nat(2),
})

/** An answer as a model means it. */
export const anyAnswer = fc.record({
  said: fc.array(said, { maxLength: 10 }),
  end: fc.constantFrom(
    'completed',
    'completed',
    'completed',
    'incomplete',
    'failed',
    'nested',
    'flat',
    'none',
  ),
  isSilent: fc.boolean(),
})

/** How an answer is put on the wire. */
export const anyFraming = fc.record({
  ending: fc.constantFrom('\n', '\n', '\r\n', '\r'),
  bom: fc.boolean(),
  space: fc.boolean(),
  folded: fc.boolean(),
  noise: fc.constantFrom('', ': comment', 'id: 7', 'event: x', 'retry: 1', 'dat', 'datapoint: 1', ':'),
})
type Framing = { ending: string; bom: boolean; space: boolean; folded: boolean; noise: string }

/** The lines that an event's data may have, where its JSON is written out. */
const fold = (data: string) =>
  data.startsWith('{') ? JSON.stringify(JSON.parse(data), null, 1).split('\n') : [data]

/** Bytes of the frames, each an event's data. */
export function frame(frames: string[], { ending, bom, space, folded, noise }: Framing): Buffer {
  const fieldOf = (line: string) => `data:${space ? ' ' : ''}${line}`
  const lines = frames.flatMap((data) => [
    ...(noise === '' ? [] : [noise]),
    ...(folded ? fold(data) : [data]).map(fieldOf),
    '',
  ])
  return Buffer.from((bom ? '\ufeff' : '') + lines.map((line) => line + ending).join(''))
}

/** Cuts bytes at the given places, which may lie anywhere. */
export function cutAt(bytes: Buffer, places: number[]): Buffer[] {
  const cuts = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return cuts.map((cut, index) => bytes.subarray(cuts[index - 1] ?? 0, cut))
}

const reserved = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'then',
  'length',
]
const deep = (levels: number): Value => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
/** Values that no program expects where it finds them. */
const hostile = fc.oneof(
  fc.constantFrom<Value>(null, true, false, 0, -1, 0.5, 2 ** 31, 2 ** 53, 1e308, '', '0', [], {}),
  fc.constantFrom<Value>(...reserved),
  fc.constantFrom<Value>(
    JSON.parse('{"__proto__":{"polluted":true}}'),
    JSON.parse('{"constructor":{"prototype":{"polluted":true}}}'),
    { toString: null, valueOf: null },
    { toString: 1, valueOf: 'x', length: 1e9 },
    { type: 'output_text', text: { toJSON: 1 } },
    [null, 1, 'a', [[]], { text: 'part' }],
    deep(200),
  ),
  piece,
)

const place = fc.nat(100_000)
const mutationOfFrames = fc.oneof(
  fc.record({ op: fc.constant('replace' as const), at: place, path: place, value: hostile }),
  fc.record({
    op: fc.constant('rename' as const),
    at: place,
    path: place,
    value: fc.constantFrom(...reserved),
  }),
  fc.record({ op: fc.constant('swap' as const), at: place, other: place }),
  fc.record({ op: fc.constant('drop' as const), at: place }),
  fc.record({ op: fc.constant('repeat' as const), at: place, other: place }),
  fc.record({ op: fc.constant('insert' as const), at: place, value: hostile }),
)
const mutationOfBytes = fc.oneof(
  fc.record({ op: fc.constant('flip' as const), at: place, bit: fc.nat(7) }),
  fc.record({ op: fc.constant('cut' as const), at: place, length: fc.nat(40) }),
  fc.record({ op: fc.constant('end' as const), at: place }),
  fc.record({ op: fc.constant('again' as const), at: place, length: fc.nat(200) }),
  fc.record({ op: fc.constant('put' as const), at: place, bytes: fc.uint8Array({ maxLength: 8 }) }),
)
type FrameMutation = typeof mutationOfFrames extends fc.Arbitrary<infer T> ? T : never
type ByteMutation = typeof mutationOfBytes extends fc.Arbitrary<infer T> ? T : never

/** All places in a value where something stands, as the object and the key. */
function placesIn(value: Value): { owner: Record<string, Value>; key: string }[] {
  if (typeof value !== 'object' || value === null) return []
  const owner = value as Record<string, Value>
  return Object.keys(owner).flatMap((key) => [{ owner, key }, ...placesIn(owner[key])])
}

function mutateEvent(data: string, mutation: Extract<FrameMutation, { path: number }>): string {
  if (!data.startsWith('{')) return JSON.stringify(mutation.value)
  const event = JSON.parse(data)
  const places = placesIn(event)
  const found = places[mutation.path % places.length]
  if (found === undefined) return data
  const { owner, key } = found
  const isRenamed = mutation.op === 'rename' && !Array.isArray(owner)
  const [name, value] = isRenamed ? [mutation.value, owner[key]] : [key, mutation.value]
  if (isRenamed) delete owner[key]
  // A plain assignment to `__proto__` would not make a key.
  Object.defineProperty(owner, name, { value, enumerable: true, configurable: true, writable: true })
  return JSON.stringify(event)
}

function mutateFrames(frames: string[], mutation: FrameMutation): string[] {
  const at = mutation.at % Math.max(1, frames.length)
  const here = frames[at]
  if (here === undefined) return frames
  if ('path' in mutation) return frames.with(at, mutateEvent(here, mutation))
  if (mutation.op === 'drop') return frames.toSpliced(at, 1)
  if (mutation.op === 'insert') return frames.toSpliced(at, 0, JSON.stringify(mutation.value))
  const other = mutation.other % frames.length
  if (mutation.op === 'repeat') return frames.toSpliced(other, 0, here)
  return frames.with(at, frames[other] ?? here).with(other, here)
}

function mutateBytes(bytes: Buffer, mutation: ByteMutation): Buffer {
  if (bytes.length === 0) return bytes
  const at = mutation.at % bytes.length
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  if (mutation.op === 'end') return before
  if (mutation.op === 'cut') return Buffer.concat([before, after.subarray(mutation.length)])
  if (mutation.op === 'again') return Buffer.concat([before, after.subarray(0, mutation.length), after])
  if (mutation.op === 'put') return Buffer.concat([before, mutation.bytes, after])
  const flipped = Buffer.from(bytes)
  flipped[at] = (bytes[at] ?? 0) ^ (1 << mutation.bit)
  return flipped
}

/** What a server sends that started out to send an answer. */
export const anyDamaged = fc
  .record({
    provider: fc.constantFrom<Provider>('openai', 'openai-compatible'),
    answer: anyAnswer,
    framing: anyFraming,
    frames: fc.array(mutationOfFrames, { maxLength: 3 }),
    bytes: fc.array(mutationOfBytes, { maxLength: 2 }),
    places: fc.array(place, { maxLength: 8 }),
    end: fc.constantFrom('clean' as const, 'reset' as const, 'silence' as const),
  })
  .map(({ provider, answer, framing, frames, bytes, places, end }) => {
    const sent = frames.reduce(mutateFrames, framesOf(provider, { ...answer, inBackground: true }))
    const body = bytes.reduce(mutateBytes, frame(sent, framing))
    return { provider, body, places, end }
  })
