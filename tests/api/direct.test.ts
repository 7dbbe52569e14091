import { type IncomingHttpHeaders, request } from 'node:http'
import { text as textOf } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Client, signUp } from '../support/client'
import { makeKey } from '../support/keys'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'

/*
 * OpenAI's paths are answered without Next (scripts/direct.mjs). Written in an odd way, the same address still comes
 * through it, to the same route file: both must say the same.
 */

let upstream: OpenAIServer
let server: TestServer
let admin: Client
let key: string

beforeAll(async () => {
  upstream = await startOpenAI()
  server = await startServer({
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_API_KEY: 'sk-test-direct-upstream',
    CORS_ORIGINS: 'https://app.example',
    LOG_LEVEL: 'debug',
  })
  admin = await signUp(server.url, 'admin')
  key = (await makeKey(admin, { scopes: ['gateway'] })).key
})
beforeEach(() => upstream.reset())
afterAll(async () => {
  await server.close()
  await upstream.close()
})

type Call = { method?: string; path: string; headers?: Record<string, string>; body?: string }
type Said = { status: number; headers: IncomingHttpHeaders; body: string }

/** A call whose path stays as it is written. */
function call({ method = 'GET', path, headers, body }: Call): Promise<Said> {
  const { hostname, port } = new URL(server.url)
  const all = { authorization: `Bearer ${key}`, ...headers }
  return new Promise((resolve, reject) => {
    const place = { hostname, port, method, path, headers: all, agent: false }
    const outgoing = request(place, async (incoming) => {
      const { statusCode: status = 0, headers } = incoming
      resolve({ status, headers, body: await textOf(incoming) })
    })
    outgoing.on('error', reject).end(body)
  })
}

const cameThroughNext = ({ headers }: Said) => String(headers.vary).includes('next-router')

/** What is the same whoever answers: all but what is of this call alone, and what Next says of itself. */
function comparable({ status, headers, body }: Said): unknown {
  const own = ['date', 'x-request-id', 'vary', 'x-ratelimit-remaining-tokens', 'openai-processing-ms']
  const rest = Object.entries(headers).filter(([name]) => !own.includes(name))
  const text = body.replace(/"(id|created|obfuscation)": ?("[^"]*"|\d+)/g, '')
  return { status, headers: Object.fromEntries(rest.sort()), text }
}

const json = { 'content-type': 'application/json' }
const question = { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Grüße' }] }
const post = (path: string, body: string, headers = {}) => ({
  method: 'POST',
  path,
  body,
  headers: { ...json, ...headers },
})

test.each<[string, Call]>([
  ['a whole answer', post('/v1/chat/completions', JSON.stringify(question))],
  ['a stream', post('/v1/chat/completions', JSON.stringify({ ...question, stream: true }))],
  [
    'the longer path',
    post('/api/v1/embeddings', JSON.stringify({ model: 'text-embedding-3-small', input: 'a' })),
  ],
  ['a list', { path: '/v1/models' }],
  ['a name', { path: '/v1/models/gpt-5-mini?x=1' }],
  ['a name with a slash', { path: '/v1/models/meta/llama-3' }],
  ['HEAD', { method: 'HEAD', path: '/v1/models' }],
  ['HEAD where there is no GET', { method: 'HEAD', path: '/v1/chat/completions' }],
  ['OPTIONS', { method: 'OPTIONS', path: '/v1/models' }],
  [
    'OPTIONS from a site that may',
    { method: 'OPTIONS', path: '/v1/chat/completions', headers: { origin: 'https://app.example' } },
  ],
  ['a site that may not', post('/v1/embeddings', '{}', { origin: 'https://other.example' })],
  ['a method that is not taken', { method: 'PUT', path: '/v1/models' }],
  ['nothing there', { path: '/v1/nothing/here' }],
  ['HEAD of nothing', { method: 'HEAD', path: '/v1/nothing' }],
  ['a refusal of the model server', post('/v1/chat/completions', '{"model":"no-such-model","messages":[]}')],
  ['no key', post('/v1/chat/completions', '{}', { authorization: '' })],
  ['a wrong key', post('/v1/chat/completions', '{}', { authorization: 'Bearer alc_wrong' })],
  ['no JSON', post('/v1/chat/completions', '{"model":')],
  ['another type', post('/v1/chat/completions', '{}', { 'content-type': 'text/plain' })],
  ['too much', post('/v1/chat/completions', `{"x":"${'x'.repeat(1024 * 1024)}"}`)],
])('%s is the same as through Next', async (_, asked) => {
  const direct = await call(asked)
  const throughNext = await call({ ...asked, path: asked.path.replace('/v1/', '/v1/./') })
  expect([cameThroughNext(direct), cameThroughNext(throughNext)]).toEqual([false, true])
  expect(comparable(direct)).toEqual(comparable(throughNext))
})

test('every answer has a name, and is in the log by it, without what else was said', async () => {
  const named = await call({
    path: '/v1/models/gpt-5-mini',
    headers: { 'x-request-id': 'name-of-the-caller' },
  })
  expect(named.headers['x-request-id']).toBe('name-of-the-caller')
  const line = () =>
    server
      .output()
      .split('\n')
      .find((each) => each.includes('name-of-the-caller'))
  await expect.poll(line).toContain('"route":"/v1/models/[model]"')
})

test('answers are counted', async () => {
  const count = async () => {
    const { text } = await admin.get('/metrics')
    return Number(
      /^al_chat_http_requests_total\{class="v1",method="GET",status="404"\} (\d+)/m.exec(text)?.[1] ?? 0,
    )
  }
  const before = await count()
  await call({ path: '/v1/nothing' })
  expect(await count()).toBe(before + 1)
})

describe('a client that goes away', () => {
  test.each([true, false])('has the model server left, with a stream: %s', async (stream) => {
    upstream.script({ text: Array.from({ length: 200 }, (_, n) => `word ${n} `), delayMs: 30 })
    const gone = new AbortController()
    const headers = { ...json, authorization: `Bearer ${key}` }
    const body = JSON.stringify({ ...question, stream })
    const path = `${server.url}/v1/chat/completions`
    const asked = fetch(path, { method: 'POST', headers, body, signal: gone.signal })
    if (stream) await (await asked).body?.getReader().read()
    else await expect.poll(() => upstream.journal.length).toBe(1)
    gone.abort()
    await asked.catch(() => undefined)
    await expect.poll(() => upstream.journal[0]?.closedByClientAt).toBeGreaterThan(0)
  })
})
