import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChatEvents } from '../../lib/gateway/translate/chat-events'
import type { JsonObject } from '../../lib/gateway/translate/json'
import { toResponse } from '../../lib/gateway/translate/response'
import { type ResponseEvent, ResponseStream, writeResponseEvent } from '../../lib/gateway/translate/stream'
import {
  type ChatAnswer,
  chatAnswers,
  chatHabits,
  chunksOf,
  cutText,
  wholeCompletion,
  writeChatStream,
} from '../support/chat-answers'
import { StreamEvent } from '../support/open-responses'
import { requiredFieldsOf } from '../support/response-events'

const origin = { request: { model: 'asked' }, id: `resp_${'0'.repeat(48)}`, createdAt: 1_700_000_000 }

/** The same with ids by the order of their appearance, and without the time of the end. */
function withoutChance<T>(value: T): T {
  const ids = new Map<string, string>()
  const json = JSON.stringify(value)
    .replaceAll(/\b(resp|msg|rs|fc|ctc|call)_[0-9a-f]{48}\b/g, (id, kind) => {
      if (!ids.has(id)) ids.set(id, `${kind}_${ids.size}`)
      return ids.get(id) ?? id
    })
    .replaceAll(/"completed_at":\d+/g, '"completed_at":1')
  return JSON.parse(json)
}

function stream(chunks: JsonObject[]): { events: ResponseEvent[]; response: JsonObject } {
  const translation = new ResponseStream(origin)
  const events = [...chunks.flatMap((chunk) => translation.take(chunk)), ...translation.end()]
  return { events, response: translation.response }
}

function streamBytes(pieces: Buffer[]): ResponseEvent[] {
  const reader = new ChatEvents()
  const translation = new ResponseStream(origin)
  const read = (chunks: JsonObject[]) => chunks.flatMap((chunk) => translation.take(chunk))
  const events = pieces.flatMap((piece) => read(reader.push(piece)))
  return [...events, ...read(reader.end()), ...translation.end(reader.isDone)]
}

const streams = fc.record({ answer: chatAnswers, habits: chatHabits })
const eventsOf = (events: ResponseEvent[], type: string) => events.filter((event) => event.type === type)
const outputOf = (response: JsonObject) => response.output as JsonObject[]

test('a stream in bytes that are cut anywhere gives the same events', () => {
  const eol = fc.constantFrom<'\n' | '\r\n'>('\n', '\r\n')
  fc.assert(
    fc.property(
      streams,
      eol,
      fc.array(fc.nat(20_000), { maxLength: 40 }),
      ({ answer, habits }, end, places) => {
        const bytes = writeChatStream(chunksOf(answer, habits), end)
        const cuts = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort(
          (a, b) => a - b,
        )
        const pieces = cuts.map((cut, index) => bytes.subarray(cuts[index - 1] ?? 0, cut))
        expect(withoutChance(streamBytes(pieces))).toEqual(withoutChance(streamBytes([bytes])))
      },
    ),
  )
})

test('a stream byte by byte gives the same events', () => {
  fc.assert(
    fc.property(streams, ({ answer, habits }) => {
      const bytes = writeChatStream(chunksOf(answer, habits))
      const single = Array.from(bytes, (byte) => Buffer.from([byte]))
      expect(withoutChance(streamBytes(single))).toEqual(withoutChance(streamBytes([bytes])))
    }),
    { numRuns: 25 },
  )
})

test('events are numbered from 0 without a gap, begin with the Response and end with it once', () => {
  fc.assert(
    fc.property(streams, ({ answer, habits }) => {
      const { events, response } = stream(chunksOf(answer, habits))
      expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index))
      expect(events.slice(0, 2).map(({ type }) => type)).toEqual(['response.created', 'response.in_progress'])
      const terminal = events.filter(({ type }) => /^response\.(completed|incomplete|failed)$/.test(type))
      expect(terminal).toEqual([events.at(-1)])
      expect(terminal[0]?.response).toEqual(response)
    }),
  )
})

test('the Response at the end of a stream is what the whole completion makes', () => {
  fc.assert(
    fc.property(streams, ({ answer, habits }) => {
      const { response } = stream(chunksOf(answer, habits))
      const whole = toResponse(wholeCompletion(answer, cutText(answer.text, habits.cuts)), origin)
      const expected = answer.usage === null ? { ...whole, usage: response.usage } : whole
      expect(withoutChance(response)).toEqual(withoutChance(expected))
      expect(Object.keys(response)).toEqual(Object.keys(whole))
    }),
  )
})

test('every event has the fields of the reference, and what Open Responses requires', () => {
  fc.assert(
    fc.property(streams, ({ answer, habits }) => {
      for (const event of stream(chunksOf(answer, habits)).events) {
        expect(Object.keys(event)).toEqual(
          expect.arrayContaining(requiredFieldsOf(event.type) ?? ['no such type']),
        )
        expect(StreamEvent.safeParse(event).error?.issues ?? []).toEqual([])
      }
    }),
  )
})

test('every item begins once, ends once, stands where its events say, and is then as the Response has it', () => {
  fc.assert(
    fc.property(streams, ({ answer, habits }) => {
      const { events, response } = stream(chunksOf(answer, habits))
      for (const [index, item] of outputOf(response).entries()) {
        const own = events.filter((event) => event.output_index === index)
        const types = own.map(({ type }) => type)
        expect(types.filter((type) => type.startsWith('response.output_item.'))).toHaveLength(2)
        expect(types[0]).toBe('response.output_item.added')
        expect(own.at(-1)).toMatchObject({ type: 'response.output_item.done', item })
        for (const event of own.slice(1, -1)) expect(event.item_id).toBe(item.id)
      }
      const places = events.flatMap(({ output_index }) =>
        typeof output_index === 'number' ? [output_index] : [],
      )
      expect(Math.max(-1, ...places)).toBe(outputOf(response).length - 1)
    }),
  )
})

test('every part begins once, ends once, and is then as its item has it', () => {
  fc.assert(
    fc.property(streams, ({ answer, habits }) => {
      const { events, response } = stream(chunksOf(answer, habits))
      for (const [index, item] of outputOf(response).entries()) {
        const parts = (item.type === 'reasoning' ? item.summary : (item.content ?? [])) as JsonObject[]
        const own = events.filter((event) => event.output_index === index && 'part' in event)
        const [begun, ended] = ['added', 'done'].map((name) => own.filter(({ type }) => type.endsWith(name)))
        expect(begun).toHaveLength(parts.length)
        expect(ended?.map(({ part }) => part)).toEqual(parts)
      }
    }),
  )
})

/** The deltas of one kind, put together by where they belong. */
function gather(events: ResponseEvent[], name: string, field: string): [string, string][] {
  const places = (event: JsonObject) =>
    `${event.item_id} ${event.output_index} ${event.content_index ?? event.summary_index ?? ''}`
  const texts = new Map<string, string>()
  for (const event of eventsOf(events, `${name}.delta`))
    texts.set(places(event), (texts.get(places(event)) ?? '') + event.delta)
  for (const event of eventsOf(events, `${name}.done`))
    expect(texts.get(places(event)) ?? '').toBe(event[field])
  return [...texts]
}

function textsOf(answer: ChatAnswer): string[] {
  const said = [answer.reasoning, answer.text, answer.refusal].filter((text) => text !== '')
  return [...said, ...answer.calls.map(({ args }) => args || '{}')]
}

test('the deltas of a text, a thought, a refusal or a call are together what it is', () => {
  fc.assert(
    fc.property(streams, ({ answer, habits }) => {
      const { events } = stream(chunksOf(answer, habits))
      const gathered = [
        ...gather(events, 'response.reasoning_summary_text', 'text'),
        ...gather(events, 'response.output_text', 'text'),
        ...gather(events, 'response.refusal', 'refusal'),
        ...gather(events, 'response.function_call_arguments', 'arguments'),
      ]
      expect(gathered.map(([, text]) => text).sort()).toEqual(textsOf(answer).sort())
    }),
  )
})

test('an event is written as two lines and an empty one, and read again as it is', () => {
  fc.assert(
    fc.property(streams, ({ answer, habits }) => {
      for (const event of stream(chunksOf(answer, habits)).events) {
        const [name, data, ...rest] = writeResponseEvent(event).split('\n')
        expect([name, ...rest]).toEqual([`event: ${event.type}`, '', ''])
        expect(data?.startsWith('data: ')).toBe(true)
        expect(JSON.parse(data?.slice(6) ?? '')).toEqual(JSON.parse(JSON.stringify(event)))
      }
    }),
  )
})

test('chunks in any order end in a Response that Open Responses takes, with all texts in it', () => {
  fc.assert(
    fc.property(streams, fc.array(fc.nat(), { minLength: 60, maxLength: 60 }), ({ answer, habits }, keys) => {
      const chunks = chunksOf(answer, { ...habits, wholeCalls: true, secondChoice: false })
      const shuffled = chunks
        .map((chunk, index) => ({ chunk, key: keys[index % keys.length] ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ chunk }) => chunk)
      const { events, response } = stream(shuffled)
      for (const event of events) expect(StreamEvent.safeParse(event).error?.issues ?? []).toEqual([])
      const told = events.flatMap(({ type, delta }) => (/delta$/.test(type) ? [String(delta)] : []))
      const length = (texts: string[]) => texts.join('').length
      expect(length(told)).toBe(length(textsOf(answer)))
      expect(outputOf(response).filter(({ type }) => type === 'function_call')).toHaveLength(
        answer.calls.length,
      )
    }),
  )
})
