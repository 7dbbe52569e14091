import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client, signUp } from '../support/client'
import { makeKey, withKey } from '../support/keys'
import { startServer, type TestServer } from '../support/server'

/*
 * Limits are small here, so that few calls reach them: 6 reads, 5 writes, 3 messages, 5 calls of the gateway and 8
 * without an account, in an hour.
 */

const limits = 'read=6/1h,write=5/1h,message=3/1h,gateway=5/1h,anonymous=8/1h,test=2/1h,export=2/1h'
let direct: TestServer
let behindProxy: TestServer

beforeAll(async () => {
  ;[direct, behindProxy] = await Promise.all([
    startServer({ RATE_LIMITS: limits }),
    startServer({ RATE_LIMITS: limits, TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8, fd00::/8' }),
  ])
})
afterAll(() => Promise.all([direct.close(), behindProxy.close()]))

/** How many calls in a row are answered before one is refused for its number; at most 60. */
async function countUntilRefused(call: (n: number) => Promise<{ status: number }>): Promise<number> {
  for (let n = 0; n < 60; n++) if ((await call(n)).status === 429) return n
  return Number.POSITIVE_INFINITY
}

/** Calls of nobody through a proxy, with what it says of who calls. */
function through(forwarded: (n: number) => string, url = behindProxy.url) {
  const client = new Client(url)
  return (n: number) =>
    client.call('GET', '/api/health', {
      headers: { 'x-forwarded-for': forwarded(n), 'x-al-peer': forwarded(n) },
    })
}

let people = 0
/** An account made from an address of its own, so that signing up takes no other's calls. */
async function someone(): Promise<Client> {
  people += 1
  const headers = { 'x-forwarded-for': `198.51.100.${people}` }
  const body = { email: `someone${people}@example.com`, password: 'correct horse battery' }
  const answer = await new Client(behindProxy.url).call('POST', '/api/auth/register', { body, headers })
  expect(answer.status, answer.text).toBe(201)
  return new Client(behindProxy.url, String(answer.body.token))
}

test('who is over the limit is told so in the portal’s words, and when to come again', async () => {
  const user = await someone()
  expect(await countUntilRefused(() => user.get('/api/projects'))).toBe(6)
  const { status, body, headers } = await user.get('/api/projects')
  expect([status, body.error?.code]).toEqual([429, 'too_many_requests'])
  const seconds = Number(headers.get('retry-after'))
  expect(seconds).toBeGreaterThan(3000)
  expect(seconds).toBeLessThanOrEqual(3600)
  expect(String(body.error?.message)).toMatch(/more than 6 calls .* 3600 s/)
  expect(headers.get('x-ratelimit-limit-requests')).toBeNull()
})

test('each kind of call has its own limit, and each user', async () => {
  const user = await someone()
  expect(await countUntilRefused(() => user.get('/api/projects'))).toBe(6)
  expect(await countUntilRefused(() => user.post('/api/projects', { name: 'Mine' }))).toBe(5)
  expect(await countUntilRefused(() => user.post('/api/messages/none/edit', {}))).toBe(3)
  expect(await countUntilRefused(() => user.post('/api/credentials/none/test', {}))).toBe(2)
  expect(await countUntilRefused(() => user.get('/api/audit/export'))).toBe(2)
  expect((await (await someone()).get('/api/projects')).status).toBe(200)
})

test('a call that is refused for what it says counts like any other', async () => {
  const user = await someone()
  expect(await countUntilRefused(() => user.post('/api/projects', { name: 7 }))).toBe(5)
})

test('the gateway tells its limit in OpenAI’s words', async () => {
  const user = await someone()
  const call = () => user.post('/v1/chat/completions', { model: 'm', messages: [] })
  const first = await call()
  expect(first.headers.get('x-ratelimit-limit-requests')).toBe('5')
  expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('4')
  expect(await countUntilRefused(call)).toBe(4)
  const { status, body, headers } = await call()
  expect(status).toBe(429)
  expect(body.error).toMatchObject({ type: 'requests', code: 'rate_limit_exceeded', param: null })
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect(headers.get('x-ratelimit-remaining-requests')).toBe('0')
  expect(headers.get('x-ratelimit-reset-requests')).toMatch(/^\d+s$/)
})

test('an API key has a limit of its own; what a program uses up, its user has still', async () => {
  const user = await someone()
  const [one, other] = [
    withKey(user, await makeKey(user, { scopes: ['portal:read'] })),
    withKey(user, await makeKey(user, { scopes: ['portal:read'] })),
  ]
  expect(await countUntilRefused(() => one.get('/api/projects'))).toBe(6)
  expect(await countUntilRefused(() => other.get('/api/projects'))).toBe(6)
  expect((await user.get('/api/projects')).status).toBe(200)
})

test('many API keys of one user have no more than four times what one has', async () => {
  const user = await someone()
  const other = await someone()
  const answered: number[] = []
  for (let n = 0; n < 5; n++) {
    const key = withKey(user, await makeKey(user, { scopes: ['portal:read'] }))
    answered.push(await countUntilRefused(() => key.get('/api/projects')))
  }
  expect(answered).toEqual([6, 6, 6, 6, 0])
  expect((await user.get('/api/projects')).status).toBe(200)
  expect((await other.get('/api/projects')).status).toBe(200)
})

test('calls without an account are counted by address; another name for it makes no difference', async () => {
  // Nobody is trusted there: what a caller says of where it comes from is not heard.
  const spoofed = through((n) => `203.0.113.${n}`, direct.url)
  expect(await countUntilRefused(spoofed)).toBe(8)
  expect((await new Client(direct.url).get('/health')).status).toBe(429)
})

test('a trusted proxy says who calls, and what the caller put before that is not believed', async () => {
  expect(await countUntilRefused(through(() => '203.0.113.1'))).toBe(8)
  expect((await through(() => '203.0.113.2')(0)).status).toBe(200)
  // A proxy adds whom it saw behind what it was told.
  expect(await countUntilRefused(through((n) => `192.0.2.${n}, 203.0.113.3`))).toBe(8)
  expect(await countUntilRefused(through((n) => `192.0.2.${n}, 203.0.113.4, 10.0.0.9`))).toBe(8)
  // Something unreadable next to a proxy of ours ends what can be believed: here that is the proxy itself.
  expect(await countUntilRefused(through((n) => `192.0.2.${n}, unknown, 10.0.0.7`))).toBe(8)
  expect(await countUntilRefused(through((n) => `192.0.2.${n}, 203.0.113.5:${4000 + n}`))).toBe(8)
  expect(await countUntilRefused(through((n) => `${'1.1.1.1,'.repeat(n)}::ffff:203.0.113.6`))).toBe(8)
})

test('IPv6 is counted by /64', async () => {
  expect(await countUntilRefused(through((n) => `2001:db8:0:1::${n.toString(16)}`))).toBe(8)
  expect(await countUntilRefused(through((n) => `[2001:db8:0:2:${n}::1]:443`))).toBe(8)
  expect((await through(() => '2001:db8:0:3::1')(0)).status).toBe(200)
  expect(await countUntilRefused(through((n) => `2001:db8:0:${(n + 10).toString(16)}::1`))).toBeGreaterThan(
    20,
  )
})

test('keys and tokens that are none are counted by address, and shut nobody else out', async () => {
  const headers = (key: string) => ({ authorization: `Bearer ${key}`, 'x-forwarded-for': '203.0.113.70' })
  const call = (key: string) =>
    new Client(behindProxy.url).call('GET', '/api/projects', { headers: headers(key) })
  expect(await countUntilRefused((n) => call(`no-token-${n}`))).toBe(8)
  const user = await someone()
  expect((await call(user.token ?? '')).status).toBe(200)
  // Whoever wants to sign in from there still can.
  expect((await through(() => '203.0.113.70')(0)).status).toBe(200)
})

test('what an account may not do is counted by address, too', async () => {
  const user = await someone()
  const key = withKey(user, await makeKey(user, { scopes: ['portal:read'] }))
  const headers = { 'x-forwarded-for': '203.0.113.71' }
  expect(await countUntilRefused(() => key.call('GET', '/api/conversations', { headers }))).toBe(8)
})

test('with the limits off, nothing is refused for its number', async () => {
  const server = await startServer()
  try {
    const user = await signUp(server.url)
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => user.post('/api/projects', { name: 7 })),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]))
  } finally {
    await server.close()
  }
})
