import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { followToEnd, openTalk, send } from '../support/chat'
import { Client } from '../support/client'
import { startServer, type TestServer } from '../support/server'

const token = 'a-token-of-the-metrics-5c1d'

let server: TestServer

beforeAll(async () => {
  server = await startServer({ LOG_LEVEL: 'debug' })
})
afterAll(() => server.close())

/** The status that `/metrics` answers to these headers, `host` among them. */
function ask(headers: Record<string, string>, url = server.url): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asking = request(`${url}/metrics`, { headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    asking.on('error', reject).end()
  })
}

const sampleOf = (text: string, sample: string) =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${sample} `))
      ?.slice(sample.length + 1) ?? Number.NaN,
  )

test('a chat is in the metrics: requests, the call and its tokens, frames, first token, and no name of anybody', async () => {
  const talk = await openTalk(server.url)
  const { reply } = await send(talk, 'Hello')
  await followToEnd(talk.user, reply.events_url)
  const { status, headers, text } = await new Client(server.url).get('/metrics')
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const has = (sample: string) =>
    expect([sample, sampleOf(text, sample)]).toEqual([sample, expect.any(Number)])
  const counts = (sample: string) => expect([sample, sampleOf(text, sample) > 0]).toEqual([sample, true])
  counts('al_chat_http_requests_total{class="projects",method="POST",status="201"}')
  counts('al_chat_upstream_calls_total{surface="page",provider="demo",outcome="completed"}')
  counts('al_chat_upstream_tokens_total{provider="demo",kind="output"}')
  counts('al_chat_first_token_seconds_count{surface="page"}')
  counts('al_chat_reply_frames_total')
  counts('process_resident_memory_bytes')
  counts('al_chat_health{part="database",state="healthy"}')
  expect(sampleOf(text, 'al_chat_replies_running')).toBe(0)
  for (const sample of [
    'al_chat_database_waiting',
    'nodejs_eventloop_lag_p99_seconds',
    'al_chat_credentials{state="good"}',
  ])
    has(sample)
  for (const theirs of [talk.user.email, talk.user.userId, talk.conversationId, talk.agentId])
    expect(text).not.toContain(theirs)
})

test('from this machine, by its own name, no token is needed', async () => {
  const { port } = new URL(server.url)
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, '127.0.0.1', `[::1]:${port}`])
    expect([host, await ask({ host })]).toEqual([host, 200])
})

test('what a proxy on this machine passes on finds nothing, whichever way it says so', async () => {
  const proxied: Record<string, string>[] = [
    { host: 'chat.example.com' },
    { host: '127.0.0.1.example.com' },
    { 'x-forwarded-for': '203.0.113.7' },
    { 'x-forwarded-proto': 'https' },
    { forwarded: 'for=203.0.113.7' },
    { via: '1.1 proxy' },
    { 'x-real-ip': '203.0.113.7' },
    { via: '1.1 proxy', 'x-al-proxied': 'no' },
  ]
  for (const headers of proxied) expect([headers, await ask(headers)]).toEqual([headers, 404])
})

test('with METRICS_TOKEN who brings it is let in, from wherever; a wrong one is told so, also on this machine', async () => {
  const guarded = await startServer({ METRICS_TOKEN: token })
  const far = { host: 'chat.example.com', 'x-forwarded-for': '203.0.113.7' }
  const by = (authorization: string, more = {}) => ask({ authorization, ...more }, guarded.url)
  try {
    expect(await by(`Bearer ${token}`, far)).toBe(200)
    expect(await by(`bearer ${token}`)).toBe(200)
    for (const wrong of [`Bearer ${token}x`, `Bearer ${token.slice(1)}`, 'Bearer x'])
      expect([wrong, await by(wrong, far), await by(wrong)]).toEqual([wrong, 401, 401])
    expect(await ask(far, guarded.url)).toBe(401)
    expect(await ask({}, guarded.url)).toBe(200)
  } finally {
    await guarded.close()
  }
})

test('each request is a line of the log with its id, route, status, time and user, without what stands for ids', async () => {
  const talk = await openTalk(server.url)
  const headers = { 'x-request-id': 'request-of-the-log-1' }
  const path = `/api/conversations/${talk.conversationId}`
  expect((await talk.user.call('GET', path, { headers })).status).toBe(200)
  await new Client(server.url, 'no-token').call('GET', `${path}/sk-live-0123456789abcdef`, {
    headers: { 'x-request-id': 'request-of-the-log-2' },
  })
  const lines = server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  const [first] = lines.filter(({ requestId }) => requestId === 'request-of-the-log-1')
  expect(first).toMatchObject({
    level: 'debug',
    method: 'GET',
    route: '/api/conversations/[conversationId]',
    status: 200,
    userId: talk.user.userId,
  })
  expect(first.ms).toEqual(expect.any(Number))
  const [second] = lines.filter(({ requestId }) => requestId === 'request-of-the-log-2')
  expect(second).toMatchObject({ route: '/api/[path]', status: 404 })
  expect(server.output()).not.toContain('0123456789abcdef')
})
