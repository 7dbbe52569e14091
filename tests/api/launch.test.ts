import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client, type Json, signUp } from '../support/client'
import { makeKey, withKey } from '../support/keys'
import { rawRequest } from '../support/raw-request'
import { startServer, type TestServer } from '../support/server'

/*
 * An outside portal starts AL-Chat for its users: its key asks for a link, its page leads there, the link signs in once.
 */

type Person = Client & { email: string; userId: string }

let server: TestServer
let admin: Person
let ada: Person
let eve: Person
let portal: Client
let agentId: string

beforeAll(async () => {
  server = await startServer()
  admin = await signUp(server.url, 'admin')
  ada = await signUp(server.url, 'ada')
  eve = await signUp(server.url, 'eve')
  portal = withKey(admin, await makeKey(admin, { scopes: ['launch'] }))
  const project = (await ada.post('/api/projects', { name: 'Engines' })).body.id
  agentId = String((await ada.post(`/api/projects/${project}/agents`, { name: 'Helper' })).body.id)
})
afterAll(() => server.close())

async function launch(body: object = { username: ada.email }): Promise<string> {
  const { status, body: made, text } = await portal.post('/api/launch', body)
  if (status !== 200) throw new Error(`${status}: ${text}`)
  return String(made.url)
}

type Visit = { method?: string; headers?: Record<string, string>; by?: Client }

function visit(url: string, { method = 'GET', headers = {}, by }: Visit = {}): Promise<Response> {
  const cookie: Record<string, string> = by ? { cookie: `al_session=${by.token}` } : {}
  return fetch(url, { method, headers: { ...cookie, ...headers }, redirect: 'manual' })
}

/** Who a browser is after this answer; null where it was given no cookie. */
async function whoIs(answer: Response): Promise<string | null> {
  const token = /al_session=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '')?.[1]
  if (!token) return null
  return String((await new Client(server.url, token).get('/api/auth/me')).body.user?.email)
}

test('a link signs its user in and opens the chat; the ticket does not stay in the address', async () => {
  const { body } = await portal.post('/api/launch', { username: ada.email.toUpperCase() })
  expect(body).toEqual({ url: expect.any(String), expires_at: expect.any(String) })
  const lastsMs = Date.parse(String(body.expires_at)) - Date.now()
  expect(lastsMs).toBeGreaterThan(50_000)
  expect(lastsMs).toBeLessThanOrEqual(60_000)
  expect(String(body.url)).toMatch(new RegExp(`^${server.url}/launch\\?ticket=[\\w-]{43}$`))
  const answer = await visit(String(body.url))
  expect(answer.status).toBe(303)
  expect(answer.headers.get('location')).toBe('/chat')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.headers.get('set-cookie')).toMatch(/; HttpOnly; SameSite=Lax/)
  expect(await whoIs(answer)).toBe(ada.email)
})

test('with an agent, the chat opens with it', async () => {
  const answer = await visit(await launch({ username: ada.email, agent_id: agentId }))
  expect(answer.headers.get('location')).toBe(`/chat/${agentId}`)
})

test('a link works once, also when many come at the same moment', async () => {
  const url = await launch()
  const answers = await Promise.all(Array.from({ length: 12 }, () => visit(url)))
  const statuses = answers.map(({ status }) => status).sort()
  expect(statuses).toEqual([303, ...Array.from({ length: 11 }, () => 401)])
  const again = await visit(url)
  expect(again.status).toBe(401)
  expect(again.headers.get('set-cookie')).toBeNull()
  expect(await again.text()).toContain('href="/login"')
})

test.each([
  ['none', '/launch'],
  ['an empty one', '/launch?ticket='],
  ['one that is made up', `/launch?ticket=${'a'.repeat(43)}`],
  ['one of markup', '/launch?ticket=%22%3E%3Cscript%3Ealert(1)%3C/script%3E'],
  ['one too long', `/launch?ticket=${'a'.repeat(5000)}`],
  ['one with U+0000', '/launch?ticket=a%00b'],
  ['half a character', '/launch?ticket=%ed%a0%80'],
])('a ticket that is none signs nobody in: %s', async (_, path) => {
  for (const method of ['GET', 'POST']) {
    const answer = await visit(server.url + path, { method })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(await answer.text()).not.toContain('<script')
  }
})

test('looking at a link does not use it up: HEAD, fetching ahead, and what makes previews', async () => {
  const url = await launch()
  const looks: Visit[] = [
    { method: 'HEAD' },
    { headers: { purpose: 'prefetch' } },
    { headers: { 'sec-purpose': 'prefetch;prerender' } },
    { headers: { 'x-moz': 'prefetch' } },
    { headers: { 'sec-fetch-dest': 'image' } },
    { headers: { 'sec-fetch-dest': 'iframe' } },
    { headers: { 'user-agent': 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)' } },
    { headers: { 'user-agent': 'Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5' } },
    { headers: { 'user-agent': 'facebookexternalhit/1.1' } },
  ]
  for (const look of looks) {
    const answer = await visit(url, look)
    expect(answer.status, JSON.stringify(look)).toBe(200)
    expect(answer.headers.get('set-cookie')).toBeNull()
  }
  const page = await visit(url, { headers: { purpose: 'prefetch' } })
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  const action = /<form method="post" action="([^"]+)">/.exec(await page.text())?.[1]
  // A person who was taken for one of these presses the button.
  const pressed = await visit(server.url + action, { method: 'POST', headers: { origin: server.url } })
  expect(pressed.status).toBe(303)
  expect(await whoIs(pressed)).toBe(ada.email)
})

test('another site cannot press the button', async () => {
  const url = await launch()
  const foreign = await visit(url, { method: 'POST', headers: { origin: 'https://evil.example' } })
  expect(foreign.status).toBe(403)
  expect((await visit(url)).status).toBe(303)
})

test('where a link leads to is not in it: nothing in the address sends anybody elsewhere', async () => {
  for (const more of [
    '&next=https://evil.example',
    '&next=//evil.example',
    '&agent_id=//evil.example',
    '&redirect=x',
  ]) {
    const answer = await visit((await launch()) + more)
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toBe('/chat')
  }
})

test('a link counts at the host that it was made for, and nowhere else', async () => {
  const url = await launch()
  const { port } = new URL(server.url)
  for (const host of [
    'evil.example',
    `localhost:${port}`,
    `127.0.0.1:${Number(port) + 1}`,
    'evil.example:99999',
  ]) {
    const { status, head } = await rawRequest(url, { host })
    expect(status, host).toBe(401)
    expect(head).not.toMatch(/set-cookie/i)
  }
  const forged = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }
  expect(await whoIs(await visit(url, { headers: forged }))).toBe(ada.email)
})

test('a link that is asked for under another name leads to that name alone; one that is no name leads nowhere', async () => {
  const ask = (host: string) =>
    rawRequest(
      `${server.url}/api/launch`,
      {
        host,
        authorization: `Bearer ${portal.token}`,
        'content-type': 'application/json',
      },
      JSON.stringify({ username: ada.email }),
    )
  const { body } = await ask('chat.example:8080')
  const { url } = JSON.parse(body) as { url: string }
  expect(url).toMatch(/^http:\/\/chat\.example:8080\/launch\?ticket=/)
  expect((await visit(server.url + url.slice('http://chat.example:8080'.length))).status).toBe(401)
  for (const host of [
    'evil.example/x?',
    'a@evil.example',
    'a b',
    '1.2.3.4.5',
    'evil.example:99999',
    '<script>',
  ]) {
    const refused = await ask(host)
    expect(refused.status, host).toBe(400)
    expect(refused.body).not.toContain('evil')
  }
})

test('with APP_URL, links lead there, whoever asks under which name, and count there', async () => {
  await server.stop()
  server = await server.restart({ APP_URL: 'https://chat.example.com' })
  portal = new Client(server.url, portal.token)
  const url = await launch()
  expect(url).toMatch(/^https:\/\/chat\.example\.com\/launch\?ticket=/)
  const path = url.slice('https://chat.example.com'.length)
  expect((await rawRequest(server.url + path, { host: 'evil.example' })).status).toBe(401)
  const { status, head } = await rawRequest(server.url + path, { host: 'chat.example.com' })
  expect(status).toBe(303)
  expect(head).toMatch(/set-cookie: __Host-al_session=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Secure/i)
  await server.stop()
  server = await server.restart({ APP_URL: '' })
  portal = new Client(server.url, portal.token)
  for (const person of [admin, ada, eve]) Object.assign(person, { url: server.url })
})

test('whoever is signed in as somebody else is signed out of that, in this browser alone', async () => {
  const other = String(
    (
      await new Client(server.url).post('/api/auth/login', {
        email: eve.email,
        password: 'correct horse battery',
      })
    ).body.token,
  )
  const answer = await visit(await launch(), { by: eve })
  expect(await whoIs(answer)).toBe(ada.email)
  expect((await eve.get('/api/auth/me')).status).toBe(401)
  expect((await new Client(server.url, other).get('/api/auth/me')).status).toBe(200)
  eve.token = other
})

test.each<[string, () => object]>([
  ['nobody’s', () => ({ username: 'nobody@example.com' })],
  ['a name that cannot be stored', () => ({ username: 'a\u0000b' })],
  ['the account of the access key', () => ({ username: 'access-key@localhost' })],
  ['an agent that the user may not see', () => ({ username: eve.email, agent_id: agentId })],
  ['an agent that is not there', () => ({ username: ada.email, agent_id: crypto.randomUUID() })],
])('there is no link for %s', async (_, body) => {
  const { status, body: said } = await portal.post('/api/launch', body())
  expect(status).toBe(404)
  expect(said.error?.code).toBe('not_found')
})

test.each([
  {},
  null,
  [],
  'x',
  { username: 7 },
  { username: '' },
  { username: 'x'.repeat(300) },
  { username: 'a', next: '/' },
  { username: 'a', agent_id: '//evil' },
])('what is no question for a link is refused: %j', async (body) => {
  const { status, body: said } = await portal.post('/api/launch', body)
  expect(status).toBe(400)
  expect(said.error?.code).toBe('invalid_input')
})

test('only an admin’s key with this scope, bound to no project, makes links', async () => {
  const body = { username: ada.email }
  const project = String((await admin.post('/api/projects', { name: 'Bound' })).body.id)
  const bound = withKey(admin, await makeKey(admin, { scopes: ['launch'], project_id: project }))
  const others = withKey(
    admin,
    await makeKey(admin, { scopes: ['chat', 'gateway', 'portal:write', 'credentials:read'] }),
  )
  for (const caller of [admin, ada, bound, others])
    expect((await caller.post('/api/launch', body)).status).toBe(403)
  expect((await new Client(server.url).post('/api/launch', body)).status).toBe(401)
  expect((await ada.post('/api/keys', { name: 'mine', scopes: ['launch'] })).status).toBe(403)
})

test('a key that is revoked takes its open links along', async () => {
  const made = await makeKey(admin, { scopes: ['launch'] })
  const { body } = await withKey(admin, made).post('/api/launch', { username: ada.email })
  await admin.delete(`/api/keys/${made.id}`)
  expect((await visit(String(body.url))).status).toBe(401)
})

test('links are written down, made and used, without their tickets; wrong ones, too', async () => {
  const url = await launch({ username: ada.email, agent_id: agentId })
  const ticket = new URL(url).searchParams.get('ticket') ?? ''
  await visit(url)
  await visit(url)
  const { items } = (await admin.get<{ items: Json[] }>('/api/audit?limit=10')).body
  const [failed, used, made] = items
  expect(made).toMatchObject({
    action: 'launch.create',
    actor: { email: admin.email },
    key_id: expect.any(String),
    target: ada.userId,
    detail: { email: ada.email, agentId },
  })
  expect(used).toMatchObject({ action: 'launch.use', actor: { email: ada.email }, detail: { agentId } })
  expect(failed).toMatchObject({ action: 'account.signin_failed', actor: null })
  expect(JSON.stringify(items)).not.toContain(ticket)
  expect(server.output()).not.toContain(ticket)
})
