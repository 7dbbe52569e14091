import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../lib/errors'
import { ChatEvents } from '../../lib/gateway/translate/chat-events'
import type { JsonObject } from '../../lib/gateway/translate/json'
import { toChatRequest } from '../../lib/gateway/translate/request'
import { ResponseStream, writeResponseEvent } from '../../lib/gateway/translate/stream'
import { shapesOf } from '../support/json-shapes'
import { StreamEvent } from '../support/open-responses'
import { say } from '../support/translated'

const origin = { request: { model: 'm' }, id: 'resp_1', createdAt: 1_700_000_000 }

const said = shapesOf(
  'index delta message content refusal reasoning tool_calls function id name arguments input annotations url_citation ' +
    'url type logprobs text thinking token error function_call',
)
const chunks = fc.oneof(
  shapesOf(
    'choices delta message error usage model service_tier prompt_tokens completion_tokens finish_reason',
  ),
  fc.record({ choices: fc.array(said, { maxLength: 2 }), usage: said }, { requiredKeys: ['choices'] }),
  said.map((delta) => say(delta)),
  fc
    .record({ content: fc.string(), tool_calls: fc.array(said), annotations: fc.array(said) })
    .map((delta) => say(delta)),
)

const asked = shapesOf(
  'type role content text name format schema effort call_id output arguments summary image_url file_data input id',
)
const requests = fc.oneof(
  shapesOf('input tools tool_choice text reasoning instructions include metadata stream prompt user'),
  fc.record({ input: fc.array(asked, { maxLength: 3 }), tools: fc.array(asked, { maxLength: 2 }) }),
  asked.map((item) => ({ input: [{ role: 'user', ...item, content: [item] }] })),
)

test('whatever a server sends, a Response comes of it, as its readers want it', () => {
  fc.assert(
    fc.property(fc.array(chunks, { maxLength: 6 }), fc.boolean(), (sent, isDone) => {
      const stream = new ResponseStream(origin)
      const events = [...sent.flatMap((chunk) => stream.take(chunk)), ...stream.end(isDone)]
      expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index))
      expect(stream.isOver).toBe(true)
      for (const event of events) {
        const read = JSON.parse(writeResponseEvent(event).split('\ndata: ')[1] ?? '')
        expect(StreamEvent.safeParse(read).error?.issues ?? []).toEqual([])
      }
    }),
    { numRuns: 500 },
  )
})

test('whatever a client asks, it is taken or refused by the name of a parameter', () => {
  fc.assert(
    fc.property(requests, fc.array(requests, { maxLength: 2 }), (body, earlier) => {
      try {
        expect(toChatRequest({ model: 'm', ...body }, earlier)).toMatchObject({ messages: expect.any(Array) })
      } catch (error) {
        expect(error).toBeInstanceOf(AppError)
        expect(error).toMatchObject({
          code: 'invalid_input',
          issues: [{ path: expect.stringMatching(/^\w/) }],
        })
      }
    }),
    { numRuns: 500 },
  )
})

test('arguments too deep to be written fail the Response', () => {
  const depth = 100_000
  const args = JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`) as JsonObject
  const stream = new ResponseStream(origin)
  const events = stream.take(say({ tool_calls: [{ id: 'a', function: { name: 'f', arguments: args } }] }))
  expect(events.map(({ type }) => type).slice(-2)).toEqual(['error', 'response.failed'])
})

describe('the stream of a chat', () => {
  const read = (...texts: string[]) => {
    const reader = new ChatEvents()
    return { reader, chunks: texts.flatMap((text) => reader.push(Buffer.from(text))) }
  }

  test('is over with its mark, and what follows is not read', () => {
    const { reader, chunks: given } = read(
      'data: {"a":1}\n\ndata:  [DONE] \n\n',
      'data: {"b":1}\n\n',
      'data: {]\n\n',
    )
    expect([given, reader.end(), reader.isDone]).toEqual([[{ a: 1 }], [], true])
  })

  test('that ends without its mark gives the event that lacks only its empty line', () => {
    const { reader, chunks: given } = read('data: {"a":1}\n\ndata: {"b":1}\n')
    expect([given, reader.end(), reader.isDone]).toEqual([[{ a: 1 }], [{ b: 1 }], false])
  })

  test.each(['{"a":', '[1]', '"text"', '7', '<html>'])(
    'that holds %s is an error, after what came before it',
    (data) => {
      const { reader, chunks: given } = read(`data: {"a":1}\n\ndata: ${data}\n\ndata: {"b":1}\n\n`)
      expect(given).toEqual([{ a: 1 }])
      const failed = expect.objectContaining({ code: 'provider_failed' })
      expect(() => reader.push(Buffer.from('data: {"c":1}\n\n'))).toThrow(failed)
      expect(() => reader.end()).toThrow(failed)
    },
  )

  test('whose event does not end is an error', () => {
    const { reader } = read('data: ')
    const much = Buffer.alloc(1024 * 1024, 'x')
    const flood = () => {
      for (let sent = 0; sent < 20; sent++) reader.push(much)
    }
    expect(flood).toThrow(expect.objectContaining({ code: 'provider_failed' }))
  })
})
