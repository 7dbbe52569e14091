import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Client, signUp } from '../support/client'
import { echoOf, type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'

// The official client speaks to the gateway as it speaks to OpenAI, with a key of ours.
const upstreamKey = 'sk-test-gateway-upstream-7f31'

let upstream: OpenAIServer
let server: TestServer
let admin: Client
let openai: OpenAI
let key: string

beforeAll(async () => {
  upstream = await startOpenAI({ acceptKey: (given) => given === upstreamKey })
  server = await startServer({ OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: upstreamKey })
  admin = await signUp(server.url, 'admin')
  key = String((await admin.post('/api/keys', { name: 'SDK', scopes: ['gateway'] })).body.key)
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 })
})
beforeEach(() => upstream.reset())
afterAll(async () => {
  await server.close()
  await upstream.close()
})

const messages = [{ role: 'user' as const, content: 'Grüße 世界' }]

async function readBytes(path: string, body: object, at = `${server.url}/v1`, bearer = key) {
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }
  const answer = await fetch(at + path, { method: 'POST', headers, body: JSON.stringify(body) })
  return { answer, bytes: Buffer.from(await answer.arrayBuffer()) }
}

test('the official client streams a chat completion', async () => {
  const stream = await openai.chat.completions.create({ model: 'gpt-5-mini', messages, stream: true })
  let text = ''
  for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? ''
  expect(text).toBe(echoOf('Grüße 世界'))
})

test('the official client gets a whole completion, embeddings, an image, a moderation and the models', async () => {
  const whole = await openai.chat.completions.create({ model: 'gpt-5-mini', messages })
  expect(whole.choices[0]?.message.content).toBe(echoOf('Grüße 世界'))
  const { data } = await openai.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'b'] })
  expect(data).toHaveLength(2)
  expect((await openai.images.generate({ model: 'gpt-image-1', prompt: 'A cat' })).data).toHaveLength(1)
  expect((await openai.moderations.create({ input: 'Peace' })).results).toHaveLength(1)
  const models = (await openai.models.list()).data
  expect(models.length).toBeGreaterThan(0)
  expect((await openai.models.retrieve(String(models[0]?.id))).id).toBe(models[0]?.id)
})

test.each([
  { split: 'events' as const },
  { split: 'bytes' as const },
  { split: { random: 7 } },
  { crlf: true },
  { unknownEvents: true },
])('a stream passes byte for byte, whatever the pieces it comes in: %j', async (script) => {
  const body = { model: 'gpt-5-mini', messages, stream: true, seed: 1 }
  upstream.script({ ...script, raw: ['{"one":1,"n":-0.0}', '{"odd":"\\u00e9 世"}', '{"usage":null}'] })
  const through = await readBytes('/chat/completions', body)
  upstream.script({ ...script, raw: ['{"one":1,"n":-0.0}', '{"odd":"\\u00e9 世"}', '{"usage":null}'] })
  const direct = await readBytes('/chat/completions', body, upstream.baseUrl, upstreamKey)
  expect(direct.bytes.length).toBeGreaterThan(50)
  expect(through.bytes.toString('hex')).toBe(direct.bytes.toString('hex'))
  expect(through.answer.headers.get('content-type')).toBe(direct.answer.headers.get('content-type'))
})

test('what was asked goes on as it is, and nothing of who asked', async () => {
  const odd = '{ "model":"gpt-5-mini",  "messages":[{"role":"user","content":"x"}], "n_e_w":-0.0 }'
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'openai-organization': 'org-x',
    },
    body: odd,
  })
  expect(answer.status).toBe(200)
  const [entry] = upstream.journal
  expect(Number(entry?.headers['content-length'])).toBe(odd.length)
  expect(entry?.headers.authorization).toBe(`Bearer ${upstreamKey}`)
  expect(JSON.stringify(entry?.headers)).not.toContain('alc_')
  expect(entry?.headers['openai-organization']).toBeUndefined()
})

test.each([
  ['invalid_request', 400],
  ['context_length_exceeded', 400],
  ['model_not_found', 404],
  ['rate_limit_exceeded', 429],
  ['insufficient_quota', 429],
  ['server_error', 500],
  ['overloaded', 503],
  ['invalid_api_key', 401],
] as const)('the error %s keeps its status, type, param and code', async (error, status) => {
  // A fault of the server's is met again by the tries that follow.
  upstream.script({ error }, { times: 3 })
  const through = await readBytes('/chat/completions', { model: 'gpt-5-mini', messages })
  upstream.reset()
  upstream.script({ error })
  const direct = await readBytes(
    '/chat/completions',
    { model: 'gpt-5-mini', messages },
    upstream.baseUrl,
    upstreamKey,
  )
  const { message, ...said } = JSON.parse(through.bytes.toString()).error
  const { message: _, ...meant } = JSON.parse(direct.bytes.toString()).error
  expect(through.answer.status).toBe(status)
  expect(said).toEqual(meant)
  expect(message).toEqual(expect.any(String))
  expect(through.answer.headers.get('retry-after')).toBe(direct.answer.headers.get('retry-after'))
  const everything = through.bytes.toString() + JSON.stringify([...through.answer.headers])
  expect(everything).not.toMatch(/sk-test|7f31|org-|proj_/)
})

test('headers about limits come through, those about whose account it is do not', async () => {
  const { answer } = await readBytes('/chat/completions', { model: 'gpt-5-mini', messages })
  expect(answer.headers.get('x-ratelimit-remaining-requests')).not.toBeNull()
  expect(answer.headers.get('openai-processing-ms')).not.toBeNull()
  expect(answer.headers.get('openai-organization')).toBeNull()
  expect(answer.headers.get('openai-project')).toBeNull()
  expect(answer.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9_-]{8,64}$/)
})

test('errors of our own are told in OpenAI’s words', async () => {
  const wrong = await new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'alc_wrong', maxRetries: 0 }).models
    .list()
    .catch((error: unknown) => error)
  expect(wrong).toBeInstanceOf(OpenAI.AuthenticationError)
  expect(wrong).toMatchObject({ code: 'invalid_api_key' })
  const none = await fetch(`${server.url}/v1/nothing/here`, { headers: { authorization: `Bearer ${key}` } })
  expect(none.status).toBe(404)
  expect(await none.json()).toMatchObject({ error: { type: 'invalid_request_error' } })
  const broken = await fetch(`${server.url}/v1/embeddings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: '{"model":',
  })
  expect(broken.status).toBe(400)
  expect(await broken.json()).toMatchObject({ error: { type: 'invalid_request_error', param: null } })
})

test.each(['..%2Fresponses', '%2e%2e', 'a/../b', 'x?y=1', 'a\\b', '.', 'a//b'])(
  'a model’s name does not lead to another address: %s',
  async (name) => {
    const answer = await fetch(`${server.url}/v1/models/${name}`, {
      headers: { authorization: `Bearer ${key}` },
    })
    const asked = upstream.journal.map(({ path }) => path)
    for (const path of asked) expect(path).toMatch(/^\/v1\/models(\/[\w:@+.%-]+)*$/)
    expect([200, 400, 404]).toContain(answer.status)
  },
)

test('a reader who leaves closes the call upstream, and what came is written down', async () => {
  upstream.script({ text: Array.from({ length: 500 }, (_, n) => `word ${n} `), delayMs: 20 })
  const gone = new AbortController()
  const stream = await openai.chat.completions.create(
    { model: 'gpt-5-mini', messages, stream: true },
    { signal: gone.signal },
  )
  let seen = 0
  for await (const _ of stream) if (++seen === 5) break
  gone.abort()
  await expect.poll(() => upstream.journal[0]?.closedByClientAt, { timeout: 10_000 }).toBeGreaterThan(0)
})

test('older calls fill in what their clients leave out', async () => {
  const calls = [
    ['/api/completion', { prompt: 'Once' }, '/v1/completions'],
    ['/api/images/generate', { prompt: 'A cat' }, '/v1/images/generations'],
    ['/api/embeddings', { input: 'a' }, '/v1/embeddings'],
  ] as const
  for (const [path, body, target] of calls) {
    const { answer } = await readBytes(path, body, server.url)
    expect(answer.status, path).toBe(200)
    expect(upstream.journal.at(-1)).toMatchObject({
      path: target,
      body: { model: expect.any(String), ...body },
    })
  }
  const models = await fetch(`${server.url}/api/models`, { headers: { authorization: `Bearer ${key}` } })
  expect(await models.json()).toMatchObject({ object: 'list' })
})

test('a key that is refused here is known to be, and one that works again is, too', async () => {
  const body = { scope: 'global', credentialType: 'openai', credentials: { api_key: 'sk-test-refused-here' } }
  const kept = await admin.post('/api/credentials', body)
  expect(kept.status, kept.text).toBe(201)
  const provider = async () => (await admin.get('/api/health')).body.checks?.provider?.status
  const { answer } = await readBytes('/chat/completions', { model: 'gpt-5-mini', messages })
  expect(answer.status).toBe(401)
  await expect.poll(provider, { timeout: 10_000 }).toBe('degraded')
  await admin.put(`/api/credentials/${kept.body.id}`, { credentials: { api_key: upstreamKey } })
  expect((await readBytes('/chat/completions', { model: 'gpt-5-mini', messages })).answer.status).toBe(200)
  await expect.poll(provider, { timeout: 10_000 }).toBe('healthy')
})
