import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { toChatCompletion } from '../../lib/gateway/anthropic/completion'
import type { JsonObject } from '../../lib/gateway/anthropic/json'
import { ChatChunks } from '../../lib/gateway/anthropic/stream'
import { type AnthropicServer, type Script, type ScriptBlock, startAnthropic } from '../support/anthropic'
import { anthropicKey, callMessages } from '../support/anthropic-call'
import { canary } from '../support/model-call'

let server: AnthropicServer

beforeAll(async () => {
  server = await startAnthropic()
})
afterEach(() => server.reset())
afterAll(() => server.close())

const question = {
  model: 'claude-opus-5-5',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hello?' }],
}
const weather = { name: 'get_weather', input_schema: { type: 'object' } }
const ask = { ...question, tools: [weather] }

type Delta = {
  role?: string
  content?: string
  refusal?: string | null
  reasoning_content?: string
  thinking_blocks?: (JsonObject & { index: number })[]
  tool_calls?: { index: number; id?: string; type?: string; function: { name?: string; arguments: string } }[]
}
type Chunk = JsonObject & {
  choices: { delta: Delta; finish_reason: string | null }[]
  usage?: JsonObject | null
}
type Read = { chunks: Chunk[]; failure: ChatChunks['failure']; usage: JsonObject | null; isOver: boolean }

function read(pieces: Iterable<Uint8Array>, includeUsage = true): Read {
  const key = anthropicKey(server.baseUrl)
  const stream = new ChatChunks({ key, includeUsage, created: 1_700_000_000 })
  const chunks: JsonObject[] = []
  for (const piece of pieces) chunks.push(...stream.push(piece))
  chunks.push(...stream.end())
  return { chunks: chunks as Chunk[], failure: stream.failure, usage: stream.usage, isOver: stream.isOver }
}

/** What a client makes of the chunks: OpenAI's way of adding deltas up. */
function added(chunks: Chunk[]) {
  const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta))
  const text = (name: 'content' | 'refusal' | 'reasoning_content') =>
    deltas.map((delta) => delta[name] ?? '').join('')
  const calls = deltas.flatMap((delta) => delta.tool_calls ?? [])
  const tools = [...new Set(calls.map(({ index }) => index))].map((index) => {
    const own = calls.filter((call) => call.index === index)
    const called = {
      name: own[0]?.function.name,
      arguments: own.map((call) => call.function.arguments).join(''),
    }
    return { id: own[0]?.id, type: own[0]?.type, function: called }
  })
  const thoughts = deltas.flatMap((delta) => delta.thinking_blocks ?? [])
  return {
    content: text('content'),
    refusal: text('refusal'),
    reasoning: text('reasoning_content'),
    thoughts: thoughts.map(({ index: _, ...block }) => block),
    tools,
    finish: chunks.map(({ choices }) => choices[0]?.finish_reason ?? null).find((reason) => reason !== null),
  }
}

async function streamed(script: Script): Promise<Uint8Array[]> {
  server.script(script)
  return (await callMessages(server.baseUrl, { ...ask, stream: true })).bytes
}

async function whole(script: Script): Promise<JsonObject> {
  server.script(script)
  return (await callMessages(server.baseUrl, ask)).json as JsonObject
}

const everything: ScriptBlock[] = [
  { type: 'thinking', thinking: ['Let me ', 'see…'], signature: 'sig-one' },
  { type: 'redacted_thinking', data: 'EncryptedAndOpaque' },
  { type: 'text', text: 'I’ll look 🌦 twice.' },
  { type: 'tool_use', name: 'get_weather', input: { city: 'Paris', days: [1, 2] }, id: 'toolu_1' },
  { type: 'thinking', thinking: 'And London.', signature: 'sig-two' },
  { type: 'tool_use', name: 'get_weather', input: {}, id: 'toolu_2' },
]
const usage = { input: 10, cacheRead: 200, cacheWritten: 30, output: 50, thinking: 20 }

const chatUsage = {
  prompt_tokens: 240,
  completion_tokens: 50,
  total_tokens: 290,
  prompt_tokens_details: { cached_tokens: 200, audio_tokens: 0, cache_creation_tokens: 30 },
  completion_tokens_details: {
    reasoning_tokens: 20,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
}
const thoughts = [
  { type: 'thinking', thinking: 'Let me see…', signature: 'sig-one' },
  { type: 'redacted_thinking', data: 'EncryptedAndOpaque' },
  { type: 'thinking', thinking: 'And London.', signature: 'sig-two' },
]

describe('a whole message', () => {
  test('is a completion with its text, reasoning, calls, signed thoughts and usage', async () => {
    const message = await whole({ blocks: everything, usage })
    expect(toChatCompletion(message, 1_700_000_000)).toEqual({
      id: `chatcmpl-${String(message.id).slice(4)}`,
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'claude-opus-5-5',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'I’ll look 🌦 twice.',
            refusal: null,
            reasoning_content: 'Let me see…\n\nAnd London.',
            thinking_blocks: thoughts,
            tool_calls: [
              {
                id: 'toolu_1',
                type: 'function',
                function: { name: 'get_weather', arguments: '{"city":"Paris","days":[1,2]}' },
              },
              { id: 'toolu_2', type: 'function', function: { name: 'get_weather', arguments: '{}' } },
            ],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
      usage: chatUsage,
    })
  })

  test('of calls alone has no content; one of nothing has an empty one', async () => {
    const contentOf = async (blocks: ScriptBlock[]) => {
      const { choices } = toChatCompletion(await whole({ blocks })) as { choices: { message: Delta }[] }
      return choices[0]?.message.content
    }
    expect(await contentOf([{ type: 'tool_use', name: 'get_weather', input: {} }])).toBeNull()
    expect(await contentOf([])).toBe('')
  })

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'content_filter'],
    ['pause_turn', 'stop'],
    ['something_new', 'stop'],
  ])('and a streamed one that ends by %s end by %s', async (stopReason, finish) => {
    const script = { blocks: [{ type: 'text' as const, text: 'Hello.' }], stopReason }
    expect(toChatCompletion(await whole(script))).toMatchObject({ choices: [{ finish_reason: finish }] })
    expect(added(read(await streamed(script)).chunks).finish).toBe(finish)
  })

  test('that was declined says why', async () => {
    const script = { blocks: [], refusal: 'This is about weapons.' }
    expect(toChatCompletion(await whole(script))).toMatchObject({
      choices: [
        { message: { content: '', refusal: 'This is about weapons.' }, finish_reason: 'content_filter' },
      ],
    })
    expect(added(read(await streamed(script)).chunks)).toMatchObject({
      refusal: 'This is about weapons.',
      finish: 'content_filter',
    })
  })

  test('that is no message at all is an empty answer, not an accident', () => {
    expect(toChatCompletion({})).toMatchObject({
      choices: [{ message: { content: '' }, finish_reason: 'stop' }],
    })
    expect(
      toChatCompletion({ content: [null, 7, { type: 'text' }], usage: { input_tokens: -1 } }),
    ).toMatchObject({
      usage: { prompt_tokens: 0 },
    })
  })
})

describe('a stream', () => {
  test('is the role, the pieces as they come, the signed thoughts, the end and the usage', async () => {
    const { chunks, usage: known, isOver, failure } = read(await streamed({ blocks: everything, usage }))
    expect(failure).toBeNull()
    expect(isOver).toBe(true)
    expect(known).toEqual(chatUsage)
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '', refusal: null })
    expect(added(chunks)).toEqual({
      content: 'I’ll look 🌦 twice.',
      refusal: '',
      reasoning: 'Let me see…\n\nAnd London.',
      thoughts,
      tools: [
        {
          id: 'toolu_1',
          type: 'function',
          function: { name: 'get_weather', arguments: '{"city": "Paris","days":[1,2]}' },
        },
        { id: 'toolu_2', type: 'function', function: { name: 'get_weather', arguments: '{}' } },
      ],
      finish: 'tool_calls',
    })
    const last = chunks.at(-1)
    expect(last).toMatchObject({ choices: [], usage: chatUsage })
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null && chunk.choices.length === 1)).toBe(
      true,
    )
    const heads = chunks.map(({ id, object, created, model }) =>
      JSON.stringify({ id, object, created, model }),
    )
    expect(new Set(heads).size).toBe(1)
    expect(chunks[0]).toMatchObject({
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model: 'claude-opus-5-5',
    })
  })

  test('has no word of usage where none is asked for', async () => {
    const { chunks } = read(await streamed({ usage }), false)
    expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false)
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
  })

  test('passes over comments, pings, citations, and events and blocks that nobody knows', async () => {
    const blocks: ScriptBlock[] = [
      { type: 'raw', block: { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} } },
      {
        type: 'raw',
        block: { type: 'text', text: '', citations: [] },
        deltas: [
          { type: 'citations_delta', citation: { type: 'char_location', cited_text: 'x' } },
          { type: 'text_delta', text: 'Hello.' },
          { type: 'smell_delta', smell: 'roses' },
        ],
      },
    ]
    const { chunks, failure } = read(await streamed({ blocks, unknownEvents: true, crlf: true }))
    expect(failure).toBeNull()
    expect(added(chunks)).toMatchObject({ content: 'Hello.', tools: [], finish: 'stop' })
  })

  test('of a server that sends a call whole in its beginning has its arguments', async () => {
    const block = { type: 'tool_use', id: 'call_1', name: 'f', input: { a: 1 } }
    const raw: ScriptBlock = { type: 'raw', block }
    const bytes = Buffer.concat(await streamed({ blocks: [raw] }))
      .toString()
      .replace('"input":{}', '"input":{"a":1}')
    expect(added(read([Buffer.from(bytes)]).chunks).tools).toMatchObject([
      { function: { arguments: '{"a":1}' } },
    ])
  })

  test('that says why it ends and then breaks is whole', async () => {
    const { chunks, failure, isOver } = read(await streamed({ end: 'no_stop' }))
    expect({ failure, isOver }).toEqual({ failure: null, isOver: true })
    expect(chunks.at(-1)?.usage).toBeTruthy()
  })

  test.each(['cut', 'reset', 'malformed'] as const)(
    'that ends with %s keeps what came, and fails',
    async (end) => {
      const { chunks, failure, isOver } = read(await streamed({ end, after: 4 }))
      expect(added(chunks).content).not.toBe('')
      expect(isOver).toBe(false)
      expect(failure).toMatchObject({ name: 'AppError', code: 'provider_failed' })
      expect(chunks.some(({ choices }) => choices[0]?.finish_reason)).toBe(false)
    },
  )

  test('with an error in it keeps what came, and fails with it, without the key', async () => {
    const message = `Overloaded: ${canary}`
    const failing = { end: 'error', after: 5, failure: { type: 'overloaded_error', message } } as const
    const { chunks, failure } = read(await streamed(failing))
    expect(added(chunks).content).not.toBe('')
    expect(failure).toMatchObject({
      code: 'provider_failed',
      facts: {
        code: 'server_is_overloaded',
        chatError: { type: 'server_error', code: 'server_is_overloaded', message: 'Overloaded: •••' },
      },
    })
    expect(JSON.stringify([failure?.message, failure?.facts, String(failure?.cause)])).not.toContain(canary)
  })

  test('of events out of order fails, and does not go on afterwards', () => {
    const event = (data: object) => Buffer.from(`data: ${JSON.stringify(data)}\n\n`)
    const start = event({ type: 'message_start', message: { id: 'msg_1', model: 'm', usage: {} } })
    const delta = event({ type: 'content_block_delta', index: 3, delta: { type: 'text_delta', text: 'x' } })
    const stop = event({ type: 'message_stop' })
    expect(read([start, delta, stop])).toMatchObject({ failure: { code: 'provider_failed' }, isOver: false })
    expect(read([stop])).toMatchObject({ chunks: [], failure: { code: 'provider_failed' } })
    expect(read([event([])])).toMatchObject({ failure: { code: 'provider_failed' } })
    expect(read([])).toMatchObject({ chunks: [], usage: null, failure: { code: 'provider_failed' } })
  })
})

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
const block = fc.oneof(
  fc.record({ type: fc.constant('text' as const), text: fc.array(words, { minLength: 1, maxLength: 5 }) }),
  fc.record({ type: fc.constant('thinking' as const), thinking: words, signature: fc.constant('sig-x') }),
  fc.record({ type: fc.constant('redacted_thinking' as const), data: fc.base64String() }),
  fc.record({
    type: fc.constant('tool_use' as const),
    name: fc.constantFrom('get_weather', 'now'),
    input: fc.dictionary(words, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
  }),
)

describe('any message', () => {
  test('comes out the same, however its bytes are cut', async () => {
    const script = fc.record({
      blocks: fc.array(block, { maxLength: 6 }),
      unknownEvents: fc.boolean(),
      crlf: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(script, fc.infiniteStream(fc.integer({ min: 1, max: 60 })), async (made, sizes) => {
        const bytes = Buffer.concat(await streamed(made))
        const expected = read([bytes])
        expect(expected.failure).toBeNull()
        expect(read([...bytes].map((byte) => Buffer.of(byte)))).toEqual(expected)
        expect(read(cut(bytes, sizes))).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  test('says in its stream what it says as a whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(block, { maxLength: 6 }), async (blocks) => {
        const named = blocks.map((one, n) => (one.type === 'tool_use' ? { ...one, id: `toolu_${n}` } : one))
        const told = added(read(await streamed({ blocks: named })).chunks)
        const { choices } = toChatCompletion(await whole({ blocks: named })) as {
          choices: { message: Delta; finish_reason: string }[]
        }
        const message = choices[0]?.message
        expect(told.content).toBe(message?.content ?? '')
        expect(told.reasoning).toBe(message?.reasoning_content ?? '')
        expect(told.thoughts).toEqual(message?.thinking_blocks ?? [])
        expect(told.finish).toBe(choices[0]?.finish_reason)
        const parsed = (calls: { id?: string; function: { name?: string; arguments: string } }[] = []) =>
          calls.map((call) => [call.id, call.function.name, JSON.parse(call.function.arguments)])
        expect(parsed(told.tools)).toEqual(parsed(message?.tool_calls))
      }),
      { numRuns: 60 },
    )
  })

  test('cut off anywhere gives the beginning of the same chunks, and is never taken for whole', async () => {
    const bytes = Buffer.concat(await streamed({ blocks: everything }))
    const { chunks } = read([bytes])
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.indexOf('event: message_delta') }), (end) => {
        const broken = read([bytes.subarray(0, end)])
        expect(broken.chunks).toEqual(chunks.slice(0, broken.chunks.length))
        expect(broken.failure).not.toBeNull()
      }),
    )
  })
})

function* cut(bytes: Buffer, sizes: Iterable<number>): Generator<Buffer> {
  let at = 0
  for (const size of sizes) {
    if (at >= bytes.length) return
    yield bytes.subarray(at, at + size)
    at += size
  }
}
