import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client, password, signUp } from '../support/client'
import { startServer, type TestServer } from '../support/server'

let server: TestServer
let admin: Awaited<ReturnType<typeof signUp>>

beforeAll(async () => {
  server = await startServer({ REGISTRATION: 'invite' })
  admin = await signUp(server.url, 'admin')
})
afterAll(() => server.close())

const anonymous = () => new Client(server.url)
const unique = () => `${randomUUID()}@example.com`

async function invite(email = unique(), role = 'member', by: Client = admin) {
  const { status, body, text } = await by.post('/api/admin/users/invite', { email, role })
  expect(status, text).toBe(201)
  const url = new URL(String(body.url))
  return { id: String(body.id), email, url, invitation: url.searchParams.get('invitation') ?? '' }
}
const register = (body: object) => anonymous().post('/api/auth/register', { password, ...body })

test('who is invited makes the account by the link, once', async () => {
  const { email, invitation, url } = await invite()
  expect(url.origin + url.pathname).toBe(`${server.url}/register`)
  const { status, body } = await register({ invitation, name: 'Ada' })
  expect([status, body.user?.email, body.user?.role, body.user?.name]).toEqual([201, email, 'member', 'Ada'])
  expect((await new Client(server.url, String(body.token)).get('/api/auth/me')).status).toBe(200)
  const again = await register({ invitation, email: unique() })
  expect([again.status, again.body.error?.code]).toEqual([403, 'forbidden'])
})

test('of many who come by one invitation at once, one gets in', async () => {
  const { invitation } = await invite()
  const answers = await Promise.all(Array.from({ length: 10 }, () => register({ invitation })))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(403)])
})

test('an invitation can make an admin, and is for its email alone', async () => {
  const { invitation, email } = await invite(unique(), 'admin')
  expect((await register({ invitation, email: unique() })).status).toBe(403)
  expect((await register({ invitation, email: email.toUpperCase() })).body.user?.role).toBe('admin')
})

test('without an invitation, or with one that is none, nobody comes in', async () => {
  expect((await register({ email: unique() })).status).toBe(403)
  expect((await register({ email: unique(), invitation: 'x'.repeat(43) })).status).toBe(403)
  expect((await register({ email: unique(), invitation: 'short' })).status).toBe(400)
  expect((await register({})).status).toBe(400)
})

test('an invitation that is taken back, replaced, or whose inviter is no admin any more serves nobody', async () => {
  const revoked = await invite()
  expect((await admin.delete(`/api/admin/users/invite/${revoked.id}`)).status).toBe(204)
  expect((await admin.delete(`/api/admin/users/invite/${revoked.id}`)).status).toBe(404)
  const replaced = await invite()
  const later = await invite(replaced.email)
  const inviter = await invite(unique(), 'admin')
  const { body } = await register({ invitation: inviter.invitation })
  const former = await invite(unique(), 'member', new Client(server.url, String(body.token)))
  await admin.patch(`/api/admin/users/${body.user?.id}`, { role: 'member' })
  for (const { invitation } of [revoked, replaced, former])
    expect((await register({ invitation })).status).toBe(403)
  expect((await register({ invitation: later.invitation })).status).toBe(201)
})

test('the open invitations are listed, without their links', async () => {
  const { id, email, invitation } = await invite()
  const { body, text } = await admin.get<{ items: { id: string; email: string }[] }>(
    '/api/admin/users/invite',
  )
  expect(body.items.find((item) => item.id === id)).toEqual({
    id,
    email,
    role: 'member',
    invited_by: admin.email,
    created_at: expect.any(String),
    expires_at: expect.any(String),
  })
  expect(text).not.toContain(invitation)
  await register({ invitation })
  const after = await admin.get<{ items: { id: string }[] }>('/api/admin/users/invite')
  expect(after.body.items.map((item) => item.id)).not.toContain(id)
})

test('nobody is invited who has an account, and all of it is written down', async () => {
  expect((await admin.post('/api/admin/users/invite', { email: admin.email })).status).toBe(409)
  const { id, email, invitation } = await invite()
  const { body } = await register({ invitation })
  type Entries = { items: { action: string; target: string; detail: object }[] }
  const { items } = (await admin.get<Entries>('/api/audit?limit=20')).body
  const about = (target: unknown, action: string) =>
    items.find((item) => item.target === target && item.action === action)?.detail
  expect(about(id, 'user.invite')).toEqual({ email, role: 'member', expiresAt: expect.any(String) })
  expect(about(body.user?.id, 'account.register')).toEqual({ invitationId: id })
})

test('the page of the link shows for whom it is, or that it serves no more', async () => {
  const { url, email, invitation } = await invite()
  const page = await (await fetch(url)).text()
  expect(page).toContain(email)
  await register({ invitation })
  expect(await (await fetch(url)).text()).toContain('serves no more')
})

test('where registration is closed, nobody is invited', async () => {
  const closed = await startServer({ REGISTRATION: 'closed' })
  try {
    const first = await signUp(closed.url)
    expect((await first.post('/api/admin/users/invite', { email: unique() })).status).toBe(409)
  } finally {
    await closed.close()
  }
})
