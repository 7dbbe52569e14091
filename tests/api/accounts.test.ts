import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client, password, signUp } from '../support/client'
import { startServer, type TestServer } from '../support/server'

let server: TestServer

beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

const anonymous = () => new Client(server.url)
const unique = (name: string) => `${name}-${Math.random().toString(36).slice(2)}@example.com`

test('of 50 people who sign up at once on a new server, exactly one is its admin', async () => {
  const fresh = await startServer()
  try {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        new Client(fresh.url).post('/api/auth/register', { email: `p${n}@example.com`, password }),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(201))
    const roles = answers.map(({ body }) => String(body.user?.role))
    expect(roles.filter((role) => role === 'admin')).toHaveLength(1)
    expect(roles.filter((role) => role === 'member')).toHaveLength(49)
  } finally {
    await fresh.close()
  }
})

test('signing up answers with the account, a token and an HttpOnly cookie', async () => {
  const email = unique('New.Person')
  const { status, body, headers } = await anonymous().post('/api/auth/register', {
    email,
    password,
    name: ' Ada ',
  })
  expect(status).toBe(201)
  expect(body.user).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    email: email.toLowerCase(),
    username: email.toLowerCase(),
    name: 'Ada',
    role: expect.any(String),
  })
  const cookie = headers.get('set-cookie') ?? ''
  expect(cookie).toMatch(/^al_session=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Expires=/)
  expect(new Date(String(body.expires_at)).getTime()).toBeGreaterThan(Date.now())
  const me = await new Client(server.url).call('GET', '/api/auth/me', {
    headers: { cookie: cookie.split(';')[0] ?? '' },
  })
  expect(me.body.user?.email).toBe(email.toLowerCase())
})

test('over https the cookie is bound to this host', async () => {
  const secure = await startServer({ APP_URL: 'https://chat.example.com' })
  try {
    const { headers } = await new Client(secure.url).post('/api/auth/register', {
      email: unique('a'),
      password,
    })
    expect(headers.get('set-cookie')).toMatch(
      /^__Host-al_session=.*; Path=\/; HttpOnly; SameSite=Lax; Secure; Expires=/,
    )
  } finally {
    await secure.close()
  }
})

test.each([
  [{ email: 'nobody', password }, 'email'],
  [{ email: 'a@example.com', password: 'short' }, 'password'],
  [{ email: 'a@example.com', password, extra: 1 }, ''],
  [{ email: 'a@example.com' }, 'password'],
  [[], ''],
  [null, ''],
])('a sign-up with faults is told which: %j', async (input, path) => {
  const { status, body } = await anonymous().post('/api/auth/register', input)
  expect(status).toBe(400)
  expect(body.error?.code).toBe('invalid_input')
  const issues = body.error?.issues as unknown as { path: string }[]
  expect(issues.map((issue) => issue.path)).toContain(path)
})

test('an email is taken once, whatever its case', async () => {
  const email = unique('twice')
  expect((await anonymous().post('/api/auth/register', { email, password })).status).toBe(201)
  const again = await anonymous().post('/api/auth/register', { email: email.toUpperCase(), password })
  expect([again.status, again.body.error?.code]).toEqual([409, 'conflict'])
})

test('an unknown account and a wrong password are one answer', async () => {
  const user = await signUp(server.url)
  const wrong = await anonymous().post('/api/auth/login', { email: user.email, password: 'not this one' })
  const unknown = await anonymous().post('/api/auth/login', { email: unique('nobody'), password })
  expect(wrong.status).toBe(401)
  const strip = (body: typeof wrong.body) => ({ ...body.error, request_id: '' })
  expect(strip(unknown.body)).toEqual(strip(wrong.body))
  expect(unknown.status).toBe(401)
})

test('older clients send username for email', async () => {
  const user = await signUp(server.url)
  const { status, body } = await anonymous().post('/api/auth/login', { username: user.email, password })
  expect([status, body.user?.email]).toEqual([200, user.email])
})

test('every byte of a long password counts', async () => {
  const long = 'x'.repeat(80)
  const email = unique('long')
  await anonymous().post('/api/auth/register', { email, password: `${long}a` })
  expect((await anonymous().post('/api/auth/login', { email, password: `${long}b` })).status).toBe(401)
  expect((await anonymous().post('/api/auth/login', { email, password: `${long}a` })).status).toBe(200)
  const withNull = unique('null')
  await anonymous().post('/api/auth/register', { email: withNull, password: 'same start\u0000one' })
  expect(
    (await anonymous().post('/api/auth/login', { email: withNull, password: 'same start\u0000two' })).status,
  ).toBe(401)
})

test('after signing out the token is dead', async () => {
  const user = await signUp(server.url)
  expect((await user.post('/api/auth/logout')).status).toBe(204)
  expect((await user.get('/api/auth/me')).status).toBe(401)
})

test('a new password ends the other sessions and keeps this one', async () => {
  const user = await signUp(server.url)
  const { body } = await anonymous().post('/api/auth/login', { email: user.email, password })
  const other = new Client(server.url, String(body.token))
  expect((await other.get('/api/auth/me')).status).toBe(200)
  const wrong = await user.post('/api/auth/password', { current: 'wrong', next: 'another good one' })
  expect([wrong.status, wrong.body.error?.code]).toEqual([403, 'forbidden'])
  expect(
    (await user.post('/api/auth/password', { current: password, next: 'another good one' })).status,
  ).toBe(204)
  expect((await other.get('/api/auth/me')).status).toBe(401)
  expect((await user.get('/api/auth/me')).status).toBe(200)
  expect((await anonymous().post('/api/auth/login', { email: user.email, password })).status).toBe(401)
  expect(
    (await anonymous().post('/api/auth/login', { email: user.email, password: 'another good one' })).status,
  ).toBe(200)
})

test('devices are listed, and one can be signed out by its owner alone', async () => {
  const user = await signUp(server.url)
  const { body } = await anonymous().post('/api/auth/login', { email: user.email, password })
  const other = new Client(server.url, String(body.token))
  const { body: list } = await user.get('/api/auth/sessions')
  const sessions = list.items as unknown as { id: string; current: boolean }[]
  expect(sessions).toHaveLength(2)
  const target = sessions.find(({ current }) => !current)
  const stranger = await signUp(server.url)
  expect((await stranger.delete(`/api/auth/sessions/${target?.id}`)).status).toBe(404)
  expect((await other.get('/api/auth/me')).status).toBe(200)
  expect((await user.delete(`/api/auth/sessions/${target?.id}`)).status).toBe(204)
  expect((await other.get('/api/auth/me')).status).toBe(401)
})

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

test('a token that is not exactly ours opens nothing', async () => {
  const user = await signUp(server.url)
  const token = user.token ?? ''
  const [header = '', payload = '', signature = ''] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  expect(Object.keys(claims).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'sid', 'sub'])
  const secret = readFileSync(join(server.dataDir, 'auth-secret'), 'utf8').trim()
  const forge = (head: unknown, body: unknown, key = secret) => {
    const text = `${encode(head)}.${encode(body)}`
    return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
  }
  const forged = [
    `${header}.${encode({ ...claims, sub: crypto.randomUUID() })}.${signature}`,
    `${encode({ alg: 'none', typ: 'JWT' })}.${payload}.`,
    forge({ alg: 'HS256', typ: 'JWT' }, claims),
    forge({ alg: 'HS512', typ: 'JWT' }, claims),
    `${token}x`,
    token.slice(0, -3),
    'alc_nothing',
    'x'.repeat(5000),
    `${token} ${token}`.replaceAll('.', ''),
  ]
  for (const fake of forged) expect((await new Client(server.url, fake).get('/api/auth/me')).status).toBe(401)
  expect((await user.get('/api/auth/me')).status).toBe(200)
})

test('a key in the header wins over the cookie', async () => {
  const user = await signUp(server.url)
  const headers = { cookie: `al_session=${user.token}`, authorization: 'Bearer nonsense' }
  expect((await anonymous().call('GET', '/api/auth/me', { headers })).status).toBe(401)
})

test('another site cannot make a browser change anything', async () => {
  const user = await signUp(server.url)
  const cookie = `al_session=${user.token}`
  const logout = (headers: Record<string, string>) =>
    anonymous().call('POST', '/api/auth/logout', { headers: { cookie, ...headers } })
  expect((await logout({})).status).toBe(403)
  expect((await logout({ origin: 'https://evil.example' })).status).toBe(403)
  expect((await logout({ origin: 'null' })).status).toBe(403)
  expect((await user.get('/api/auth/me')).status).toBe(200)
  expect((await logout({ origin: server.url })).status).toBe(204)
})

test('ten wrong passwords shut the door for a while, for this account alone', async () => {
  const limited = await startServer({ RATE_LIMITS: 'login=10/15m' })
  try {
    const user = await signUp(limited.url)
    const other = await signUp(limited.url)
    const guess = (secret: string) =>
      new Client(limited.url).post('/api/auth/login', { email: user.email, password: secret })
    for (let n = 0; n < 10; n++) expect((await guess(`wrong ${n}`)).status).toBe(401)
    const refused = await guess(password)
    expect([refused.status, refused.body.error?.code]).toEqual([429, 'too_many_requests'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(
      (await new Client(limited.url).post('/api/auth/login', { email: other.email, password })).status,
    ).toBe(200)
  } finally {
    await limited.close()
  }
})

test('wrong passwords from one address shut the door for it, whichever the account', async () => {
  const limited = await startServer({ RATE_LIMITS: 'address=4/15m' })
  try {
    const user = await signUp(limited.url)
    const guess = (email: string, secret: string) =>
      new Client(limited.url).post('/api/auth/login', { email, password: secret })
    for (let n = 0; n < 4; n++) expect((await guess(unique(`stranger${n}`), 'wrong')).status).toBe(401)
    expect((await guess(user.email, password)).status).toBe(429)
  } finally {
    await limited.close()
  }
})

test('where registration is closed, only the first account can be made', async () => {
  const closed = await startServer({ REGISTRATION: 'closed' })
  try {
    await signUp(closed.url)
    const { status, body } = await new Client(closed.url).post('/api/auth/register', {
      email: unique('late'),
      password,
    })
    expect([status, body.error?.code]).toEqual([403, 'forbidden'])
  } finally {
    await closed.close()
  }
})

test('every answer carries a request id, the caller’s own if it is fit to be one', async () => {
  const given = await anonymous().call('GET', '/api/auth/me', {
    headers: { 'x-request-id': 'my_request-01' },
  })
  expect([given.headers.get('x-request-id'), given.body.error?.request_id]).toEqual([
    'my_request-01',
    'my_request-01',
  ])
  const unfit = await anonymous().call('GET', '/api/auth/me', { headers: { 'x-request-id': 'no spaces!' } })
  expect(unfit.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9_-]{8,64}$/)
  expect(unfit.headers.get('x-request-id')).not.toBe('no spaces!')
})

test('what the API does not have is answered in its own dialect', async () => {
  const nowhere = await anonymous().get('/api/no/such/thing')
  expect([nowhere.status, nowhere.body.error?.code]).toEqual([404, 'not_found'])
  const wrongMethod = await anonymous().call('PUT', '/api/auth/login', { body: {} })
  expect([wrongMethod.status, wrongMethod.body.error?.code]).toEqual([405, 'method_not_allowed'])
  expect(wrongMethod.headers.get('allow')).toContain('POST')
})

test('a body that is no JSON, or too much of it, is refused with a reason', async () => {
  const login = (rawBody: string, headers = {}) =>
    anonymous().call('POST', '/api/auth/login', { rawBody, headers })
  expect((await login('{"email":')).body.error?.code).toBe('invalid_input')
  expect((await login('x', { 'content-type': 'text/plain' })).body.error?.code).toBe('unsupported_media_type')
  const huge = await login(JSON.stringify({ email: 'a', password: 'x'.repeat(1_100_000) }))
  expect([huge.status, huge.body.error?.code]).toEqual([413, 'too_large'])
})

test('other origins get no CORS headers unless they are listed', async () => {
  const preflight = (url: string, origin: string) =>
    fetch(`${url}/api/auth/me`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET' },
    })
  expect(
    (await preflight(server.url, 'https://a.example')).headers.get('access-control-allow-origin'),
  ).toBeNull()
  const listing = await startServer({ CORS_ORIGINS: 'https://a.example' })
  try {
    const allowed = await preflight(listing.url, 'https://a.example')
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://a.example')
    const asked = async (names: string) =>
      (
        await fetch(`${listing.url}/v1/chat/completions`, {
          method: 'OPTIONS',
          headers: {
            origin: 'https://a.example',
            'access-control-request-method': 'POST',
            'access-control-request-headers': names,
          },
        })
      ).headers.get('access-control-allow-headers')
    // Official clients send names of their own.
    expect(await asked('authorization,x-stainless-lang,openai-beta')).toBe(
      'authorization,x-stainless-lang,openai-beta',
    )
    expect(await asked('*')).toMatch(/^authorization, /)
    const told = await fetch(`${listing.url}/v1/models`, { headers: { origin: 'https://a.example' } })
    expect(told.headers.get('access-control-expose-headers')).toMatch(
      /x-al-cost-usd.*x-ratelimit-remaining-tokens/,
    )
    expect(
      (await preflight(listing.url, 'https://b.example')).headers.get('access-control-allow-origin'),
    ).toBeNull()
  } finally {
    await listing.close()
  }
})

test('passwords and tokens are in no log line', async () => {
  const user = await signUp(server.url)
  await anonymous().post('/api/auth/login', { email: user.email, password: 'canary-password-7731' })
  expect(server.output()).not.toContain('canary-password-7731')
  expect(server.output()).not.toContain(user.token)
})

test('a session opened with the old password does not survive its change', async () => {
  const user = await signUp(server.url)
  const attempts: Promise<string | null>[] = []
  const change = user.post('/api/auth/password', { current: password, next: 'the new password' })
  for (let n = 0; n < 8; n++) {
    attempts.push(
      anonymous()
        .post('/api/auth/login', { email: user.email, password })
        .then(({ status, body }) => (status === 200 ? String(body.token) : null)),
    )
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  expect((await change).status).toBe(204)
  for (const token of await Promise.all(attempts)) {
    if (token) expect((await new Client(server.url, token).get('/api/auth/me')).status).toBe(401)
  }
  expect((await user.get('/api/auth/me')).status).toBe(200)
})
