import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Client, type Json, signUp } from '../../support/client'
import { echoOf, type OpenAIServer, startOpenAI } from '../../support/openai'
import { readAllData } from '../../support/plain-events'
import { startServer, type TestServer } from '../../support/server'

/*
 * The client of the OpenAI proxy: it has one access key, gets a token for it, and signs out when a call says 401. Its
 * calls are at the root of the server, where some of them have a page of the same name; the contract has them under
 * /api, too.
 */

const accessKey = 'the access key of the proxy'
const upstreamKey = 'sk-test-proxy-upstream-4c2d'

class ProxyClient {
  token: string | null = null
  readonly #url: string
  readonly #base: string

  constructor(url: string, base: string) {
    this.#url = url
    this.#base = base
  }

  async signIn(key: string): Promise<Json> {
    const { body } = await this.call('POST', '/auth', { access_key: key })
    this.token = typeof body.token === 'string' ? body.token : null
    return body
  }

  /** As that client does: whatever is answered with 401 ends its session. */
  async call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> {
    const response = await this.send(method, path, body)
    if (response.status === 401) this.token = null
    return { status: response.status, body: (await response.json()) as Json }
  }

  send(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`${this.#url}${this.#base}${path}`, {
      method,
      headers: {
        ...(this.token && { authorization: `Bearer ${this.token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }
}

let upstream: OpenAIServer
let server: TestServer
let admin: Client

beforeAll(async () => {
  upstream = await startOpenAI({ acceptKey: (given) => given === upstreamKey })
  const provider = { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: upstreamKey }
  server = await startServer({ ACCESS_KEY: accessKey, ...provider })
})
beforeEach(() => upstream.reset())
afterAll(async () => {
  await server.close()
  await upstream.close()
})

test('the access key’s account is nobody’s first: whoever registers after it was used is the admin', async () => {
  expect(await new ProxyClient(server.url, '').signIn(accessKey)).toMatchObject({ token_type: 'bearer' })
  admin = await signUp(server.url, 'admin')
  expect((await admin.get('/api/auth/me')).body.user?.role).toBe('admin')
})

describe.each([
  ['at the old paths', ''],
  ['under /api', '/api'],
])('%s', (_, base) => {
  let proxy: ProxyClient

  beforeEach(async () => {
    proxy = new ProxyClient(server.url, base)
    await proxy.signIn(accessKey)
  })

  test('the access key is exchanged for a token of at most twelve hours', async () => {
    const answer = await proxy.signIn(accessKey)
    expect(answer).toEqual({
      token: expect.any(String),
      token_type: 'bearer',
      expires_at: expect.any(String),
    })
    const lastsMs = Date.parse(String(answer.expires_at)) - Date.now()
    expect(lastsMs).toBeGreaterThan(3_600_000)
    expect(lastsMs).toBeLessThanOrEqual(12 * 3_600_000)
  })

  test('it chats, whole and streamed, and what it says is a conversation', async () => {
    const { status, body } = await proxy.call('POST', '/chat', {
      message: 'Hello',
      session_id: `one of ${base || 'the root'}`,
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      success: true,
      response: echoOf('Hello'),
      session_id: `one of ${base || 'the root'}`,
    })
    const events = await readAllData(await proxy.send('POST', '/chat', { message: 'Hello', stream: true }))
    expect(events.map(({ text = '' }) => text).join('')).toBe(echoOf('Hello'))
    expect(events.at(-1)).toEqual({ done: true, usage: expect.anything() })
  })

  test('it completes, draws, embeds and lists the models, in OpenAI’s own words', async () => {
    const completion = await proxy.call('POST', '/completion', {
      prompt: 'Once',
      max_tokens: 9,
      temperature: 0,
    })
    expect(completion).toMatchObject({
      status: 200,
      body: { object: 'text_completion', choices: [{ index: 0 }] },
    })
    expect(upstream.journal.at(-1)?.body).toMatchObject({ prompt: 'Once', max_tokens: 9, temperature: 0 })
    const image = await proxy.call('POST', '/images/generate', { prompt: 'A cat', size: '1024x1024', n: 1 })
    expect(image.status).toBe(200)
    expect(image.body.data).toHaveLength(1)
    const embedding = await proxy.call('POST', '/embeddings', { input: 'a' })
    expect(embedding).toMatchObject({ status: 200, body: { object: 'list' } })
    const models = await proxy.call('GET', '/models')
    expect(models).toMatchObject({ status: 200, body: { object: 'list' } })
    // Which models there are is asked once a minute.
    expect(upstream.journal.length).toBeGreaterThanOrEqual(3)
    for (const { headers } of upstream.journal) expect(headers.authorization).toBe(`Bearer ${upstreamKey}`)
  })

  test('health is public', async () => {
    expect((await new ProxyClient(server.url, base).call('GET', '/health')).body).toMatchObject({
      status: expect.any(String),
      service: 'AL-Chat',
    })
  })

  test.each([
    ['no token', null],
    ['a token of its own making', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln'],
    ['the access key itself', accessKey.replaceAll(' ', '-')],
  ])('with %s every call is 401, and the client signs out', async (_, token) => {
    const calls = [
      ['POST', '/chat', { message: 'Hello' }],
      ['POST', '/completion', { prompt: 'x' }],
      ['POST', '/images/generate', { prompt: 'x' }],
      ['POST', '/embeddings', { input: 'x' }],
      ['GET', '/models', undefined],
    ] as const
    for (const [method, path, body] of calls) {
      proxy.token = token
      const answer = await proxy.call(method, path, body)
      expect(answer.status, path).toBe(401)
      expect(answer.body.error?.message).toEqual(expect.any(String))
      expect(proxy.token).toBeNull()
    }
    expect(upstream.journal).toEqual([])
  })

  test.each([
    '',
    'the access key of the prox',
    'the access key of the proxy ',
    'THE ACCESS KEY OF THE PROXY',
  ])('no other key is taken: %j', async (key) => {
    const answer = await proxy.call('POST', '/auth', { access_key: key })
    expect(answer.status).toBe(401)
    expect(answer.body).toMatchObject({ error: { code: 'unauthenticated', request_id: expect.any(String) } })
  })

  test.each([
    {},
    null,
    [],
    { access_key: 7 },
    { access_key: accessKey, more: 1 },
    { access_key: 'x'.repeat(5000) },
  ])('what is no question for a token is refused: %j', async (body) => {
    expect((await proxy.call('POST', '/auth', body)).status).toBe(400)
  })

  test('methods that a call does not take are refused', async () => {
    for (const path of ['/auth', '/completion', '/images/generate', '/embeddings'])
      expect((await proxy.send('GET', path)).status, path).toBe(405)
    expect((await proxy.send('POST', '/models', {})).status).toBe(405)
  })
})

test('the page of the same name is there for people, and takes them to sign in', async () => {
  const page = await fetch(`${server.url}/chat`, { redirect: 'manual' })
  expect(page.status).toBe(307)
  expect(page.headers.get('location')).toContain('/login?next=')
  const put = await fetch(`${server.url}/chat`, { method: 'PUT', body: '{}' })
  expect(put.status).toBe(405)
})

test('the token opens chat and gateway alone: no page, no key, no project, nobody’s account', async () => {
  const proxy = new ProxyClient(server.url, '/api')
  await proxy.signIn(accessKey)
  for (const path of ['/projects', '/keys', '/credentials', '/auth/sessions', '/audit', '/sessions'])
    expect((await proxy.call('GET', path)).status, path).toBe(403)
  expect((await proxy.call('POST', '/launch', { username: 'x' })).status).toBe(403)
  const token = String(proxy.token)
  const cookie = await fetch(`${server.url}/dashboard`, {
    headers: { cookie: `al_session=${token}` },
    redirect: 'manual',
  })
  expect(cookie.status).toBe(307)
  const me = (await proxy.call('GET', '/auth/me')).body.user
  expect(me).toMatchObject({ email: 'access-key@localhost', role: 'member' })
  for (const password of ['', 'none', accessKey]) {
    const signIn = { email: 'access-key@localhost', password }
    expect((await new Client(server.url).post('/api/auth/login', signIn)).status).toBe(401)
  }
  const register = { email: 'access-key@localhost', password: 'a long password' }
  expect((await new Client(server.url).post('/api/auth/register', register)).status).toBe(400)
})

test('a project that is shared with it gives its agents to whoever has the access key', async () => {
  const project = String((await admin.post('/api/projects', { name: 'Shared' })).body.id)
  const agent = String((await admin.post(`/api/projects/${project}/agents`, { name: 'Helper' })).body.id)
  const proxy = new ProxyClient(server.url, '/api')
  await proxy.signIn(accessKey)
  const ask = () => proxy.send('POST', `/chat/agents/${agent}`, { message: 'Hello' })
  expect((await ask()).status).toBe(404)
  const member = { email: 'access-key@localhost', role: 'viewer' }
  expect((await admin.post(`/api/projects/${project}/members`, member)).status).toBe(201)
  expect((await readAllData(await ask())).at(-1)).toMatchObject({ done: true })
})

test('both uses of the key and wrong ones are in the audit, and neither has the key', async () => {
  await new ProxyClient(server.url, '').signIn('a wrong access key')
  const { items } = (await admin.get<{ items: Json[] }>('/api/audit?limit=100')).body
  const said = items.map(({ action, actor }) => `${action} ${actor?.email ?? ''}`)
  expect(said).toContain('account.signin access-key@localhost')
  expect(said).toContain('account.signin_failed ')
  expect(JSON.stringify(items)).not.toContain(accessKey)
})

test('another access key ends the tokens of the one before; without one there is nothing to exchange', async () => {
  const proxy = new ProxyClient(server.url, '')
  await proxy.signIn(accessKey)
  const { token } = proxy
  await server.stop()
  const changed = await server.restart({ ACCESS_KEY: 'another access key' })
  const after = new ProxyClient(changed.url, '')
  after.token = token
  expect((await after.call('POST', '/chat', { message: 'Hello' })).status).toBe(401)
  expect((await after.call('POST', '/auth', { access_key: accessKey })).status).toBe(401)
  await after.signIn('another access key')
  expect((await after.call('POST', '/chat', { message: 'Hello' })).status).toBe(200)
  await changed.stop()
  server = await changed.restart({ ACCESS_KEY: '' })
  const without = new ProxyClient(server.url, '')
  expect((await without.call('POST', '/auth', { access_key: accessKey })).status).toBe(404)
  without.token = token
  expect((await without.call('POST', '/chat', { message: 'Hello' })).status).toBe(401)
})

test('wrong access keys are held up by address, and sign-ins of people are not', async () => {
  const limited = await startServer({ ACCESS_KEY: accessKey, RATE_LIMITS: 'address=3/1h' })
  const proxy = new ProxyClient(limited.url, '')
  const statuses = []
  for (const _ of [1, 2, 3, 4])
    statuses.push((await proxy.call('POST', '/auth', { access_key: 'wrong' })).status)
  expect(statuses).toEqual([401, 401, 401, 429])
  const held = await proxy.send('POST', '/auth', { access_key: accessKey })
  expect(held.status).toBe(429)
  expect(Number(held.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await signUp(limited.url)).token).toBeTruthy()
  await limited.close()
})
