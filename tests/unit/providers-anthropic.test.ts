import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { forwardCall, type ModelCall, testKey } from '../../lib/providers'
import { type AnthropicServer, type Script, type ScriptBlock, startAnthropic } from '../support/anthropic'
import { anthropicKey } from '../support/anthropic-call'
import { callTo, canary, hear, patient } from '../support/model-call'
import { echo, expectFault, type Told } from '../support/model-fault'
import { type RawServer, startHttp } from '../support/raw-server'

let server: AnthropicServer
let raw: RawServer | undefined

beforeAll(async () => {
  server = await startAnthropic()
})
beforeEach(() => server.reset())
afterEach(async () => {
  await raw?.close()
  raw = undefined
})
afterAll(() => server.close())

const ask = (changes: Partial<ModelCall> = {}) =>
  hear(callTo(anthropicKey(server.baseUrl), { model: 'claude-sonnet-5-5', ...changes }))

const say = (script: Script, changes: Partial<ModelCall> = {}) => {
  server.script(script)
  return ask(changes)
}

const asked = () => server.journal.at(-1)?.body as Record<string, unknown>

describe('a call', () => {
  test('has the key in Anthropic’s own header, and says which form of the API it is for', async () => {
    await ask()
    const { method, path, headers } = server.journal[0] ?? { headers: {} }
    expect({ method, path }).toEqual({ method: 'POST', path: '/v1/messages' })
    expect(headers).toMatchObject({ 'x-api-key': canary, 'anthropic-version': '2023-06-01' })
    expect(headers).not.toHaveProperty('authorization')
  })

  test('goes to the same place where the address is written with the version', async () => {
    await hear(callTo(anthropicKey(`${server.baseUrl}/v1`), { model: 'claude-opus-5-5' }))
    expect(server.journal.map(({ path }) => path)).toEqual(['/v1/messages'])
  })

  test('tells the instructions, the conversation and its files', async () => {
    const messages: ModelCall['messages'] = [
      {
        role: 'user',
        text: 'What is this?',
        files: [
          { filename: 'a.png', mimeType: 'image/png', bytes: 1, content: { type: 'image', base64: 'AA==' } },
          {
            filename: 'a.pdf',
            mimeType: 'application/pdf',
            bytes: 1,
            content: { type: 'document', base64: 'AQ==' },
          },
          { filename: 'a.txt', mimeType: 'text/plain', bytes: 1, content: { type: 'text', text: 'Hi.' } },
        ],
      },
      { role: 'assistant', text: 'A picture.' },
      { role: 'user', text: ' ' },
      { role: 'user', text: 'Sure?' },
    ]
    expect((await ask({ instructions: 'Be brief.', messages })).error).toBeNull()
    expect(asked()).toEqual({
      model: 'claude-sonnet-5-5',
      max_tokens: 32_000,
      system: 'Be brief.',
      thinking: { type: 'adaptive', display: 'summarized' },
      stream: true,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
            {
              type: 'document',
              source: { type: 'base64', media_type: 'application/pdf', data: 'AQ==' },
              title: 'a.pdf',
            },
            { type: 'text', text: '<file name="a.txt">\nHi.\n</file>' },
            { type: 'text', text: 'What is this?' },
          ],
        },
        { role: 'assistant', content: [{ type: 'text', text: 'A picture.' }] },
        { role: 'user', content: [{ type: 'text', text: 'Sure?' }] },
      ],
    })
  })

  test.each(['claude-haiku-4-5', 'claude-opus-4-8', 'claude-opus-5', 'claude-opus-5-5', 'claude-sonnet-5-5'])(
    'of any setting of an agent is one that the model takes: %s',
    async (model) => {
      for (const reasoningEffort of [null, 'none', 'minimal', 'low', 'medium', 'high', 'xhigh']) {
        for (const maxOutputTokens of [null, 1, 2000, 1_000_000]) {
          const { error, text } = await ask({ model, reasoningEffort, maxOutputTokens, temperature: 1.5 })
          expect({ error, text }).toEqual({ error: null, text: 'You said: Say something.' })
        }
      }
    },
  )

  test('leaves a temperature to models that take one, cut where Anthropic’s scale ends', async () => {
    await ask({ model: 'claude-haiku-4-5', temperature: 1.5 })
    expect(asked()).toMatchObject({ temperature: 1 })
    await ask({ model: 'claude-haiku-4-5', temperature: 0.2, maxOutputTokens: 100 })
    expect(asked()).toMatchObject({ temperature: 0.2, max_tokens: 100 })
    await ask({ temperature: 0.2 })
    expect(asked()).not.toHaveProperty('temperature')
  })

  test('goes on with an answer that broke off', async () => {
    const messages: ModelCall['messages'] = [
      { role: 'user', text: 'Count.' },
      { role: 'assistant', text: 'One, t' },
    ]
    expect((await ask({ messages, continues: true })).error).toBeNull()
    expect((asked().messages as unknown[]).length).toBe(3)
  })

  test('cannot resume an answer, and says so', async () => {
    const resume = { responseId: 'msg_1', after: 3, began: true }
    expectFault(await ask({ resume }), ['provider_failed', 'retry', /^Anthropic cannot resume an answer/])
    expect(server.journal).toEqual([])
  })
})

const blocks: ScriptBlock[] = [
  { type: 'thinking', thinking: 'First, 🤔 this.' },
  { type: 'redacted_thinking', data: 'x' },
  { type: 'thinking', thinking: 'Then that.' },
  { type: 'text', text: 'Grüße ' },
  { type: 'tool_use', name: 'f', input: { a: 1 } },
  { type: 'text', text: 'aus 東京.' },
]
const usage = { input: 10, cacheRead: 200, cacheWritten: 30, output: 50, thinking: 20 }

describe('an answer', () => {
  test.each<[string, Script]>([
    ['event by event', {}],
    ['byte by byte', { split: 'bytes' }],
    ['at random', { split: { random: 7 } }],
    ['with other line ends', { crlf: true, split: { random: 8 } }],
    ['with comments and unknown events', { unknownEvents: true }],
    ['without its last event', { end: 'no_stop' }],
  ])('is text, thoughts and what it cost, %s', async (_name, how) => {
    const { text, reasoning, done, error } = await say({ blocks, usage, stopReason: 'end_turn', ...how })
    expect({ text, reasoning, error }).toEqual({
      text: 'Grüße aus 東京.',
      reasoning: 'First, 🤔 this.\n\nThen that.',
      error: null,
    })
    expect(done).toEqual({
      type: 'done',
      finish: 'stop',
      usage: {
        input_tokens: 240,
        output_tokens: 50,
        total_tokens: 290,
        cached_tokens: 200,
        reasoning_tokens: 20,
      },
    })
  })

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool'],
    ['refusal', 'refusal'],
  ])('that ends by %s has ended by %s', async (stopReason, finish) => {
    expect((await say({ stopReason })).done?.finish).toBe(finish)
  })

  test('that was declined says why, where nothing was said before', async () => {
    const refusal = 'This is about weapons.'
    expect(await say({ blocks: [], refusal })).toMatchObject({ text: refusal, done: { finish: 'refusal' } })
    expect((await say({ blocks: [{ type: 'text', text: 'No.' }], refusal })).text).toBe('No.')
  })

  test('comes out as it was said, whatever it is and however it is cut', async () => {
    const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
    const block = fc.oneof(
      fc.record({ type: fc.constant('text' as const), text: words }),
      fc.record({ type: fc.constant('thinking' as const), thinking: words }),
    )
    const random = fc.nat().map((seed) => ({ random: seed }))
    await fc.assert(
      fc.asyncProperty(fc.array(block, { maxLength: 6 }), random, async (said, split) => {
        const { text, reasoning, error } = await say({ blocks: said, split })
        const of = (type: string) => said.filter((one) => one.type === type)
        expect(error).toBeNull()
        expect(text).toBe(
          of('text')
            .map((one) => 'text' in one && one.text)
            .join(''),
        )
        expect(reasoning).toBe(
          of('thinking')
            .map((one) => 'thinking' in one && one.thinking)
            .join('\n\n'),
        )
      }),
      { numRuns: 40 },
    )
  })

  test('that is stopped closes the connection at once', async () => {
    const stop = new AbortController()
    server.script({ blocks: [{ type: 'text', text: Array(50).fill('word ') }], delayMs: 20 })
    setTimeout(() => stop.abort(new Error('stopped')), 150)
    await ask({ signal: stop.signal })
    await expect.poll(() => server.journal[0]?.closedByClientAt).toBeGreaterThan(0)
  })
})

describe('what goes wrong is told', () => {
  test.each<[string, Told]>([
    ['too_long', ['invalid_input', 'settings', /longer than claude-sonnet-5-5 can read/]],
    ['no_credit', ['provider_failed', 'vault', /no credit left at Anthropic/]],
    ['authentication', ['provider_auth', 'vault', /^Anthropic refused the key ending 9e77/]],
    ['billing', ['provider_failed', 'vault', /no credit left at Anthropic/]],
    ['permission', ['provider_auth', 'vault', /^Anthropic does not allow this/]],
    ['not_found', ['provider_failed', 'settings', /^Anthropic has no model named claude-sonnet-5-5/]],
    ['too_large', ['invalid_input', 'settings', /longer than claude-sonnet-5-5 can read/]],
    ['rate_limit', ['provider_failed', 'retry', /too many requests .* Try again in 7 seconds/]],
    ['api', ['provider_failed', 'retry', /^Anthropic had an error of its own \(status 500\)/]],
    ['timeout', ['provider_timeout', 'retry', /took too long/]],
    ['overloaded', ['provider_failed', 'retry', /^Anthropic is overloaded/]],
    ['invalid_request', ['invalid_input', 'settings', /did not accept the request: “messages: at least/]],
  ])('by HTTP: %s', async (error, told) => {
    expectFault(await say({ error }), told)
  })

  test.each<[string, Told]>([
    ['overloaded_error', ['provider_failed', 'retry', /^Anthropic is overloaded/]],
    ['rate_limit_error', ['provider_failed', 'retry', /too many requests/]],
    ['authentication_error', ['provider_auth', 'vault', /refused the key/]],
    ['timeout_error', ['provider_timeout', 'retry', /took too long/]],
    ['api_error', ['provider_failed', 'retry', /had an error of its own: “/]],
    ['something_new', ['provider_failed', 'retry', /had an error of its own: “/]],
  ])('in the stream: %s, with what was said before it', async (type, told) => {
    const heard = await say({ end: 'error', after: 5, failure: { type, message: echo } })
    expect(heard.text).not.toBe('')
    expectFault(heard, told)
  })

  test.each<[Script['end'], Told]>([
    ['cut', ['provider_failed', 'retry', /^Anthropic ended the answer before it was complete/]],
    ['reset', ['provider_failed', 'retry', /^The connection to Anthropic broke/]],
    ['malformed', ['provider_failed', 'retry', /^Anthropic sent something that cannot be read/]],
  ])('where the stream ends by %s, with what was said before', async (end, told) => {
    const heard = await say({ end, after: 5 })
    expect(heard.text).not.toBe('')
    expectFault(heard, told)
  })

  test('where nothing more comes', async () => {
    const heard = await say({ end: 'stall', after: 5 }, { timeouts: { ...patient, idleMs: 200 } })
    expectFault(heard, ['provider_timeout', 'retry', /^Anthropic fell silent/])
  })
})

describe('a key', () => {
  const tried = (baseUrl = server.baseUrl) => testKey(anthropicKey(baseUrl), new AbortController().signal)

  test('is tested by the list of models, which costs nothing', async () => {
    expect(await tried()).toEqual({ models: 3 })
    expect(server.journal.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /v1/models?limit=1000',
    ])
  })

  test('that is refused, or leads elsewhere, is told so', async () => {
    raw = await startHttp((_, response) =>
      response
        .writeHead(401, { 'content-type': 'application/json' })
        .end('{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}'),
    )
    await expect(tried(raw.baseUrl)).rejects.toMatchObject({
      code: 'provider_auth',
      facts: { failure: 'refused' },
    })
    await raw.close()
    raw = await startHttp((_, response) => response.end('<html>'))
    await expect(tried(raw.baseUrl)).rejects.toMatchObject({ facts: { failure: 'wrong_api' } })
  })

  test('is sent along with a call that is passed on, whatever else the caller says of keys', async () => {
    const body = { model: 'claude-opus-5-5', max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] }
    const answer = await forwardCall({
      key: anthropicKey(server.baseUrl),
      method: 'POST',
      path: '/v1/messages',
      headers: { 'x-api-key': 'alc_of_the_caller', 'anthropic-version': '2023-01-01' },
      body: Buffer.from(JSON.stringify(body)),
      timeouts: patient,
      signal: new AbortController().signal,
      tap: { chunk: () => false, over: () => undefined },
    })
    expect(answer.status).toBe(200)
    expect(await new Response(answer.body).json()).toMatchObject({ content: [{ text: 'You said: Hello' }] })
    expect(server.journal[0]?.headers).toMatchObject({ 'x-api-key': canary })
  })
})
