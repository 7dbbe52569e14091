import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { follow, openTalk, send, view } from '../support/chat'
import { Client, password, signUp } from '../support/client'
import { heardOf, listen } from '../support/events'
import { makeKey, withKey } from '../support/keys'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'

type Person = Awaited<ReturnType<typeof signUp>>

let openai: OpenAIServer
let server: TestServer
let admin: Person

beforeAll(async () => {
  openai = await startOpenAI()
  server = await startServer({ OPENAI_API_KEY: 'sk-test-of-admins', OPENAI_BASE_URL: openai.baseUrl })
  admin = await signUp(server.url, 'admin')
})
afterAll(async () => {
  await server.close()
  await openai.close()
})
beforeEach(() => openai.reset())

const pathOf = ({ userId }: { userId: string }) => `/api/admin/users/${userId}`
const login = ({ email }: Person) => new Client(server.url).post('/api/auth/login', { email, password })

type Entry = { action: string; detail: Record<string, unknown>; request_id: string }
const auditOf = async (target: string) =>
  (await admin.get<{ items: Entry[] }>(`/api/audit?target=${target}`)).body.items

/** Forty words, one each 50 ms. */
const slow = { text: Array.from({ length: 40 }, (_, n) => `word${n} `), delayMs: 50 }

test('disabling a user ends streams, sessions and keys within a second; the answer is written to its end and kept', async () => {
  const talk = await openTalk(server.url)
  const { user } = talk
  const key = withKey(user, await makeKey(user, { scopes: ['chat'] }))
  openai.script(slow)
  const { reply } = await send(talk, 'stream on')
  const events = await listen(user, `${reply.id}:-1`)
  const seen: string[] = []
  let disabledAt = 0
  for await (const { type } of follow(user, reply.events_url)) {
    seen.push(type)
    if (disabledAt > 0) continue
    await events.hear('reply')
    const { status, body } = await admin.patch(pathOf(user), { disabled: true })
    disabledAt = Date.now()
    expect([status, typeof body.disabled_at, body.sessions, body.keys]).toEqual([200, 'string', 0, 0])
  }
  const replyEndedMs = Date.now() - disabledAt
  await events.ended
  const eventsEndedMs = Date.now() - disabledAt
  console.info(
    `disabled: the reply's stream ended after ${replyEndedMs} ms, /api/events after ${eventsEndedMs} ms`,
  )
  expect(eventsEndedMs).toBeLessThan(1000)
  expect(seen.at(-1)).toBe('text')
  expect(heardOf(events.events, reply.id).end).toBe('text')
  expect((await user.get('/api/auth/me')).status).toBe(401)
  expect((await key.get('/api/auth/me')).status).toBe(401)
  expect((await login(user)).status).toBe(401)

  expect((await admin.patch(pathOf(user), { disabled: false })).body.disabled_at).toBeNull()
  expect((await user.get('/api/auth/me')).status).toBe(401)
  expect((await key.get('/api/auth/me')).status).toBe(401)
  const again = new Client(server.url, String((await login(user)).body.token))
  const back = { ...talk, user: Object.assign(again, { email: user.email, userId: user.userId }) }
  const types: string[] = []
  for await (const { type } of follow(again, reply.events_url)) types.push(type)
  expect(types.at(-1)).toBe('completed')
  expect((await view(back)).messages.at(-1)).toMatchObject({ status: 'completed', text: slow.text.join('') })
  const said = (await auditOf(user.userId)).filter(({ action }) => action === 'user.update')
  expect(said.map(({ detail }) => detail)).toEqual([
    { email: user.email, disabled: false },
    { email: user.email, disabled: true, endedSessions: 1, revokedKeys: 1 },
  ])
})

test('a disabled user’s stream through the gateway ends within a second', async () => {
  const user = await signUp(server.url)
  const key = await makeKey(user, { scopes: ['gateway'] })
  openai.script({ ...slow, delayMs: 250 })
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'gpt-5-mini',
      stream: true,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  })
  let disabledAt = 0
  try {
    for await (const _ of response.body ?? []) {
      if (disabledAt > 0) continue
      await admin.patch(pathOf(user), { disabled: true })
      disabledAt = Date.now()
    }
  } catch {
    // Cut, as it should be.
  }
  expect(disabledAt).toBeGreaterThan(0)
  expect(Date.now() - disabledAt).toBeLessThan(1000)
})

test('another role counts at once, in what a session and a key may do', async () => {
  const user = await signUp(server.url)
  expect((await user.get('/api/admin/users')).status).toBe(403)
  expect((await admin.patch(pathOf(user), { role: 'admin' })).body.role).toBe('admin')
  expect((await user.get('/api/admin/users')).status).toBe(200)
  const key = withKey(user, await makeKey(user, { scopes: ['credentials:read'] }))
  expect((await key.get('/api/credentials/global/openai')).status).toBe(404)
  expect((await admin.patch(pathOf(user), { role: 'member' })).status).toBe(200)
  expect((await user.get('/api/admin/users')).status).toBe(403)
  expect((await key.get('/api/credentials/global/openai')).status).toBe(403)
  expect((await user.get('/api/auth/me')).body.user?.role).toBe('member')
})

test('nobody disables themselves, nor is the last admin taken away', async () => {
  expect((await admin.patch(pathOf(admin), { disabled: true })).status).toBe(409)
  const demoted = await admin.patch(pathOf(admin), { role: 'member' })
  expect([demoted.status, demoted.body.error?.code]).toEqual([409, 'conflict'])
  expect((await admin.get('/api/admin/users')).status).toBe(200)
})

test('ending a user’s sessions signs out every device and ends its streams, and leaves API keys alone', async () => {
  const user = await signUp(server.url)
  const key = withKey(user, await makeKey(user, { scopes: ['chat'] }))
  const other = new Client(server.url, String((await login(user)).body.token))
  const events = await listen(other)
  const { status } = await admin.delete(`${pathOf(user)}/sessions`)
  const endedAt = Date.now()
  await events.ended
  expect(Date.now() - endedAt).toBeLessThan(1000)
  expect(status).toBe(204)
  for (const device of [user, other]) expect((await device.get('/api/auth/me')).status).toBe(401)
  expect((await key.get('/api/auth/me')).status).toBe(200)
  expect((await login(user)).status).toBe(200)
  const said = (await auditOf(user.userId)).find(({ action }) => action === 'user.sessions_end')
  expect(said?.detail).toEqual({ email: user.email, endedSessions: 2 })
})

test.each([
  [{}, ''],
  [null, ''],
  [[], ''],
  [{ role: 'owner' }, 'role'],
  [{ disabled: 'yes' }, 'disabled'],
  [{ disabled: true, email: 'x@example.com' }, ''],
])('a change that cannot be is refused: %j', async (body, path) => {
  const user = await signUp(server.url)
  const answer = await admin.patch(pathOf(user), body)
  expect([answer.status, answer.body.error?.code]).toEqual([400, 'invalid_input'])
  const issues = answer.body.error?.issues as unknown as { path: string }[]
  expect(issues.map((issue) => issue.path)).toContain(path)
})

test('an account that is not there is not found', async () => {
  const nobody = { userId: randomUUID() }
  expect((await admin.patch(pathOf(nobody), { disabled: true })).status).toBe(404)
  expect((await admin.delete(`${pathOf(nobody)}/sessions`)).status).toBe(404)
  expect((await admin.patch('/api/admin/users/me', { disabled: true })).status).toBe(404)
})

test('accounts are found by a piece of email or name, and paged', async () => {
  const word = `find${randomUUID().slice(0, 8)}`
  const people: Person[] = []
  for (let n = 0; n < 5; n++) people.push(await signUp(server.url, `${word}-${n}`))
  type Users = {
    items: { id: string; email: string; sessions: number; keys: number }[]
    next_cursor: string | null
  }
  const read = async (more: string) =>
    (await admin.get<Users>(`/api/admin/users?query=${word.toUpperCase()}&limit=2${more}`)).body
  const found: string[] = []
  let page = await read('')
  for (;;) {
    found.push(...page.items.map(({ id }) => id))
    if (page.next_cursor === null) break
    page = await read(`&cursor=${page.next_cursor}`)
  }
  expect(found).toEqual(people.map(({ userId }) => userId).reverse())
  expect(page.items[0]).toMatchObject({ sessions: 1, keys: 0, role: 'member', disabled_at: null })
  expect((await admin.get('/api/admin/users?query=%00')).status).toBe(400)
  expect((await admin.get('/api/admin/users?cursor=none')).status).toBe(400)
})

test('devices are listed page by page', async () => {
  const user = await signUp(server.url)
  for (let n = 0; n < 4; n++) await login(user)
  type Devices = { items: { id: string }[]; next_cursor: string | null }
  const all = (await user.get<Devices>('/api/auth/sessions')).body
  expect([all.items.length, all.next_cursor]).toEqual([5, null])
  const first = (await user.get<Devices>('/api/auth/sessions?limit=3')).body
  const rest = (await user.get<Devices>(`/api/auth/sessions?limit=3&cursor=${first.next_cursor}`)).body
  expect([first.items.length, rest.items.length, rest.next_cursor]).toEqual([3, 2, null])
  expect([...first.items, ...rest.items]).toEqual(all.items)
})
