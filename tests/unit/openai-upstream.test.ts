import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type End, echoOf, type OpenAIServer, type Script, startOpenAI } from '../support/openai.ts'
import { callRaw, chunkSizes, readSse } from '../support/raw-stream.ts'

let server: OpenAIServer
let client: OpenAI

beforeAll(async () => {
  server = await startOpenAI()
  client = new OpenAI({ apiKey: 'sk-test-upstream', baseURL: server.baseUrl, maxRetries: 0, logLevel: 'off' })
})
afterEach(() => server.reset())
afterAll(() => server.close())

const input = 'Wie heißt der längste Fluß? 🎉 Bitte in drei Worten.'
const ask = (body: object = {}) => ({
  url: `${server.baseUrl}/responses`,
  body: { model: 'gpt-4.1', input, stream: true, ...body },
})

type Event = { type: string; sequence_number: number; delta?: string; [key: string]: unknown }
const eventsOf = (bytes: Buffer): Event[] => readSse(bytes.toString()).map(({ data }) => JSON.parse(data))
const textOf = (events: Event[]) =>
  events
    .filter(({ type }) => type === 'response.output_text.delta')
    .map(({ delta }) => delta)
    .join('')

describe('a Responses stream on the wire', () => {
  test('is nothing but event and data lines with LF, and no [DONE]', async () => {
    const { bytes, headers, status } = await callRaw(ask())
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('text/event-stream; charset=utf-8')
    expect(bytes.toString()).toMatch(/^(event: [a-z_.]+\ndata: \{[^\n]*\}\n\n)+$/)
    for (const { event, data } of readSse(bytes.toString())) expect(JSON.parse(data).type).toBe(event)
  })

  test('numbers its events 0, 1, 2… and frames the answer as OpenAI does', async () => {
    const events = eventsOf((await callRaw(ask())).bytes)
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index))
    const types = events.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1])
    expect(types).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    expect(textOf(events)).toBe(echoOf(input))
    expect(events.filter(({ delta }) => delta).length).toBeGreaterThan(4)
  })

  test('pads every delta to a multiple of 16, unless that is refused', async () => {
    const deltas = eventsOf((await callRaw(ask())).bytes).filter(({ delta }) => delta !== undefined)
    for (const { delta = '', obfuscation } of deltas) expect((delta + obfuscation).length % 16).toBe(0)
    const plain = await callRaw(ask({ stream_options: { include_obfuscation: false } }))
    expect(plain.bytes.toString()).not.toContain('obfuscation')
  })

  test('carries whole Responses whose floats keep their point and whose usage adds up', async () => {
    const { bytes } = await callRaw(ask({ temperature: 1 }))
    expect(bytes.toString()).toContain('"temperature":1.0,')
    const response = eventsOf(bytes).at(-1)?.response as Record<string, unknown>
    const usage = response.usage as Record<string, number>
    expect(usage.total_tokens).toBe(Number(usage.input_tokens) + Number(usage.output_tokens))
    expect(Object.keys(response).join()).toBe(
      'id,object,created_at,status,background,completed_at,error,frequency_penalty,incomplete_details,instructions,max_output_tokens,max_tool_calls,model,moderation,output,parallel_tool_calls,presence_penalty,previous_response_id,prompt_cache_key,prompt_cache_retention,reasoning,safety_identifier,service_tier,store,temperature,text,tool_choice,tool_usage,tools,top_logprobs,top_p,truncation,usage,user,metadata',
    )
  })

  test('is one write for one event', async () => {
    const events = readSse((await callRaw(ask())).bytes.toString())
    expect(await chunkSizes(ask())).toHaveLength(events.length)
  })

  test.each<[string, Script, (sizes: number[]) => boolean]>([
    ['single bytes', { split: 'bytes' }, (sizes) => sizes.every((size) => size === 1)],
    [
      'random pieces',
      { split: { random: 7 } },
      (sizes) => new Set(sizes).size > 10 && Math.max(...sizes) <= 40,
    ],
  ])('can be split into %s and says the same', async (_name, script, isSplit) => {
    server.script(script, { times: 2 })
    expect(isSplit(await chunkSizes(ask()))).toBe(true)
    const stream = await client.responses.create({ model: 'gpt-4.1', input, stream: true })
    let said = ''
    for await (const event of stream) if (event.type === 'response.output_text.delta') said += event.delta
    expect(said).toBe(echoOf(input))
  })

  test('can have CRLF everywhere', async () => {
    server.script({ crlf: true })
    const text = (await callRaw(ask())).bytes.toString()
    expect(text.replaceAll('\r\n', '')).not.toContain('\n')
    expect(textOf(eventsOf(Buffer.from(text.replaceAll('\r\n', '\n'))))).toBe(echoOf(input))
  })

  test('can hold event types that no client knows, comments and other fields', async () => {
    server.script({ unknownEvents: true })
    const { bytes } = await callRaw(ask())
    expect(bytes.toString()).toMatch(/^: keep-alive\n\nid: \d+\nretry: 3000\nevent: response\.shimmer/m)
    const events = eventsOf(bytes)
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index))
  })
})

describe('a scripted end', () => {
  const text = ['Eins ', 'zwei ', 'drei ', 'vier']
  const run = async (end: End, more: Script = {}) => {
    server.script({ text, end, ...more })
    const answer = await callRaw(ask())
    return { ...answer, text: answer.bytes.toString() }
  }
  const lastOf = (bytes: Buffer) => eventsOf(bytes).at(-1)

  test('incomplete says everything and why it stopped', async () => {
    const { bytes } = await run('incomplete')
    const { type, response } = lastOf(bytes) as Event
    expect(type).toBe('response.incomplete')
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    })
    expect(textOf(eventsOf(bytes))).toBe('Eins zwei drei vier')
  })

  test('failed, error_nested and error_flat stop half-way, each in its form', async () => {
    const failure = { code: 'rate_limit_exceeded', message: 'Too much.' }
    const failed = await run('failed', { failure })
    expect(lastOf(failed.bytes)).toMatchObject({ type: 'response.failed', response: { error: failure } })
    const nested = eventsOf((await run('error_nested', { failure })).bytes)
    expect(nested.at(-2)).toMatchObject({ type: 'error', error: { ...failure, param: null } })
    expect(nested.at(-1)).toMatchObject({ type: 'response.failed', response: { status: 'failed' } })
    const flat = await run('error_flat', { failure })
    expect(lastOf(flat.bytes)).toMatchObject({ type: 'error', ...failure, param: null })
    for (const events of [nested, eventsOf(flat.bytes)]) expect(textOf(events)).toBe('Eins zwei ')
  })

  test('cut_mid_event ends within an event, cleanly or not as asked', async () => {
    const clean = await run('cut_mid_event')
    expect(clean.complete).toBe(true)
    expect(clean.text).not.toMatch(/\n\n$/)
    expect(textOf(eventsOf(Buffer.from(clean.text.slice(0, clean.text.lastIndexOf('\n\n')))))).toBe(
      'Eins zwei ',
    )
    const abrupt = await run('cut_mid_event', { close: 'abrupt' })
    expect(abrupt.complete).toBe(false)
    expect(abrupt.text).toContain('zwei')
  })

  test('cut_mid_character ends within a character', async () => {
    const { bytes } = await run('cut_mid_character', { text: ['Fluß', ' größer', ' schön', ' 🎉'] })
    expect(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes)).toThrow(TypeError)
  })

  test('cut_before_end says everything but not that it is over', async () => {
    const { bytes, complete } = await run('cut_before_end')
    expect(complete).toBe(true)
    expect(textOf(eventsOf(bytes))).toBe('Eins zwei drei vier')
    expect(lastOf(bytes)?.type).toBe('response.output_item.done')
  })

  test('malformed puts one broken line in and goes on', async () => {
    const { text: wire } = await run('malformed', { after: 1 })
    const broken = readSse(wire).filter(({ data }) => {
      try {
        return JSON.parse(data) === undefined
      } catch {
        return true
      }
    })
    expect(broken).toHaveLength(1)
    expect(readSse(wire).at(-1)?.event).toBe('response.completed')
  })

  test('reset breaks the connection, before the first byte with `after: 0`', async () => {
    const broken = await run('reset')
    expect(broken.complete).toBe(false)
    expect(textOf(eventsOf(broken.bytes))).toBe('Eins zwei ')
    await expect(run('reset', { after: 0 })).rejects.toThrow(/ECONNRESET|socket hang up/)
    expect(server.journal.every(({ closedByClientAt }) => closedByClientAt === undefined)).toBe(true)
  })

  test('html200 is a page with status 200', async () => {
    const { headers, status, text: wire } = await run('html200')
    expect(status).toBe(200)
    expect(headers['content-type']).toContain('text/html')
    expect(wire).toContain('<!DOCTYPE html>')
  })

  test('stall sends no more until the client leaves, which the journal notes', async () => {
    server.script({ text, end: 'stall', after: 2 })
    const controller = new AbortController()
    const stream = await client.responses.create(
      { model: 'gpt-4.1', input, stream: true },
      { signal: controller.signal },
    )
    let said = ''
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta') said += event.delta
      if (said === 'Eins zwei ') controller.abort()
    }
    expect(said).toBe('Eins zwei ')
    await expect.poll(() => server.journal[0]?.closedByClientAt).toEqual(expect.any(Number))
  })

  test.each<End>(['cut_mid_event', 'malformed', 'reset'])(
    '%s breaks an answer that is no stream, too',
    async (end) => {
      server.script({ end })
      await expect(client.responses.create({ model: 'gpt-4.1', input })).rejects.toThrow()
    },
  )
})

describe('scripts', () => {
  test('serve one request each, in order, then the echo is back', async () => {
    server.script({ text: 'first' })
    server.script({ text: 'second' })
    const say = async () => (await client.responses.create({ model: 'gpt-4.1', input: 'x' })).output_text
    expect([await say(), await say(), await say()]).toEqual(['first', 'second', echoOf('x')])
  })

  test('pick their requests, other paths included', async () => {
    server.script({ match: { input: 'river' }, text: 'Nile' }, { times: 2 })
    server.script({ match: { path: '/v1/models' }, error: 503, retryAfterSeconds: 2 })
    const say = async (of: string) =>
      (await client.responses.create({ model: 'gpt-4.1', input: of })).output_text
    expect([await say('hi'), await say('a river')]).toEqual([echoOf('hi'), 'Nile'])
    await expect(client.models.list()).rejects.toMatchObject({ status: 503 })
    expect((await client.models.list()).data.length).toBeGreaterThan(3)
  })

  test('can be made from the request', async () => {
    server.script((request) => ({ text: `${request.method} ${request.path}` }))
    expect((await client.responses.create({ model: 'gpt-4.1', input })).output_text).toBe(
      'POST /v1/responses',
    )
  })
})

describe('errors', () => {
  const create = (apiKey = 'sk-test-1', model = 'gpt-4.1') =>
    client.withOptions({ apiKey }).responses.create({ model, input: 'x' })

  test.each([
    [400, 'invalid_value', OpenAI.BadRequestError],
    [401, 'invalid_api_key', OpenAI.AuthenticationError],
    [403, 'insufficient_permissions', OpenAI.PermissionDeniedError],
    [409, 'conflict', OpenAI.ConflictError],
    [429, 'rate_limit_exceeded', OpenAI.RateLimitError],
    [500, null, OpenAI.InternalServerError],
    [503, null, OpenAI.InternalServerError],
  ])('%i comes with its code, class and headers', async (error, code, kind) => {
    server.script({ error })
    const caught = await create().catch((reason: unknown) => reason)
    expect(caught).toBeInstanceOf(kind)
    expect(caught).toMatchObject({
      status: error,
      code,
      requestID: expect.stringMatching(/^req_[a-z0-9]{32}$/),
    })
  })

  test('429 says when to come again, or that the quota is used up', async () => {
    server.script({ error: 'rate_limit_exceeded', retryAfterSeconds: 7 })
    const limited = await callRaw(ask())
    expect(limited.headers).toMatchObject({ 'retry-after': '7', 'x-ratelimit-remaining-requests': '0' })
    server.script({ error: 'insufficient_quota' })
    const { error } = JSON.parse((await callRaw(ask())).bytes.toString())
    expect(error).toMatchObject({ type: 'insufficient_quota', code: 'insufficient_quota', param: null })
  })

  test('a foreign key is refused and masked', async () => {
    await expect(create('sk-live-0123456789abcdef')).rejects.toMatchObject({
      status: 401,
      code: 'invalid_api_key',
      message: expect.stringContaining('sk-live-************cdef.'),
    })
    expect((await callRaw({ ...ask(), key: '' })).headers['www-authenticate']).toBe(
      'Bearer realm="OpenAI API"',
    )
  })

  test('an unknown model is 400 for responses and 404 for the others', async () => {
    const model = 'no-such-model'
    await expect(create('sk-test-1', model)).rejects.toMatchObject({
      status: 400,
      code: 'model_not_found',
      param: 'model',
    })
    const chat = client.chat.completions.create({ model, messages: [{ role: 'user', content: 'x' }] })
    await expect(chat).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
    const embeddings = client.embeddings.create({ model, input: 'x' })
    await expect(embeddings).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
  })

  test('what is no JSON, has no model, or is no call at all is refused', async () => {
    const post = (path: string, body: string) =>
      fetch(server.baseUrl + path, { method: 'POST', body, headers: { authorization: 'Bearer sk-test-1' } })
    expect((await post('/responses', '{"model":')).status).toBe(400)
    expect((await post('/responses', '{}')).status).toBe(400)
    expect((await post('/nothing', '{}')).status).toBe(404)
    expect((await post('/models', '{}')).status).toBe(405)
  })
})
