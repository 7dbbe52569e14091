import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  type Actor,
  createKey,
  hasAccess,
  listKeys,
  requireCaller,
  requireKey,
  requireScope,
  requireUser,
  revokeKey,
  updateKey,
} from '@/lib/auth'
import type { CreatedKey, Scope } from '@/lib/contracts/keys'
import { db } from '@/lib/db'
import { asAppError } from '@/lib/errors'
import { makeKeyText } from '../../lib/auth/key-text'
import { makeActor, openLibrary, origin } from '../support/library'

let close: () => Promise<void>

beforeAll(async () => {
  close = await openLibrary({ RATE_LIMITS: 'address=5/15m' })
})
afterAll(() => close())

/** A request with this key from an address; each test calls from one of its own. */
function send(key: string, ip = '198.51.100.1'): Request {
  return new Request('http://here.example', { headers: { 'x-api-key': key, 'x-al-peer': ip } })
}

/** What another server changes counts here within a second. */
const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 1000, interval: 50 })

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'let in',
    (error) => asAppError(error).code,
  )
}

const make = (actor: Actor, scopes: Scope[] = ['chat'], more: object = {}): Promise<CreatedKey> =>
  createKey(actor, { name: 'Key', scopes, ...more }, origin)

test('a key is its owner, with the scopes it was given and nothing of a session', async () => {
  const ada = await makeActor('ada')
  const { key, id } = await make(ada, ['chat', 'portal:read'])
  const { userId, role, email, name } = ada
  expect(await requireCaller(send(key))).toEqual({
    userId,
    role,
    email,
    name,
    sessionId: '',
    keyId: id,
    scopes: ['chat', 'portal:read'],
    boundTo: null,
    policy: {
      budgetUsd: null,
      budgetPeriod: 'total',
      allowedModels: [],
      requestsPerMinute: null,
      tokensPerMinute: null,
      fallbackCredentials: false,
      fallbackModels: [],
      cacheSeconds: null,
    },
  })
})

test('who may come in by which key', async () => {
  const { key } = await make(await makeActor('ada', 'admin'), ['chat', 'credentials:read'])
  expect(await codeOf(requireUser(send(key)))).toBe('forbidden')
  expect(await codeOf(requireScope('chat')(send(key)))).toBe('let in')
  expect(await codeOf(requireScope('portal:read')(send(key)))).toBe('forbidden')
  expect(await codeOf(requireScope('portal:read', 'chat')(send(key)))).toBe('let in')
  expect(await codeOf(requireKey('credentials:read')(send(key)))).toBe('let in')
  expect(await codeOf(requireKey('launch')(send(key)))).toBe('forbidden')
})

test('only admins give the scopes of admins, and these count only while the owner is one', async () => {
  const [eve, ada] = [await makeActor('eve'), await makeActor('ada', 'admin')]
  for (const scope of ['credentials:read', 'launch'] as const) {
    expect(await codeOf(make(eve, ['chat', scope]))).toBe('forbidden')
    // What counts is the role in the database, not the one of a while ago.
    expect(await codeOf(make({ ...eve, role: 'admin' }, [scope]))).toBe('forbidden')
  }
  const { key } = await make(ada, ['chat', 'credentials:read', 'launch'])
  const setRole = (role: string) => db().user.update({ where: { id: ada.userId }, data: { role } })
  expect((await requireCaller(send(key))).scopes).toEqual(['chat', 'credentials:read', 'launch'])
  await setRole('member')
  await soon(async () =>
    expect(await requireCaller(send(key))).toMatchObject({ role: 'member', scopes: ['chat'] }),
  )
  expect(await codeOf(requireKey('credentials:read')(send(key)))).toBe('forbidden')
  await setRole('admin')
  await soon(async () => expect(await codeOf(requireKey('credentials:read')(send(key)))).toBe('let in'))
})

test('a key dies with its owner’s account, by revocation and by time, also for whoever is in already', async () => {
  const ada = await makeActor('ada')
  const [first, second, third] = [await make(ada), await make(ada), await make(ada)]
  const sent = [first, second, third].map(({ key }) => send(key, '198.51.100.2'))
  const inside = await Promise.all(sent.map(requireCaller))
  const lives = () => Promise.all(inside.map((actor) => hasAccess(actor)))
  expect(await lives()).toEqual([true, true, true])
  await revokeKey(ada, first.id, origin)
  const aMomentAgo = new Date(Date.now() - 1)
  await db().apiKey.update({ where: { id: second.id }, data: { expiresAt: aMomentAgo } })
  expect(await lives()).toEqual([false, false, true])
  await db().user.update({ where: { id: ada.userId }, data: { disabledAt: new Date() } })
  expect(await lives()).toEqual([false, false, false])
  for (const request of sent) expect(await codeOf(requireCaller(request))).toBe('unauthenticated')
  expect(await codeOf(make(ada))).toBe('unauthenticated')
})

test('the row of a revoked key stays, and a key is revoked once', async () => {
  const ada = await makeActor('ada')
  const { id } = await make(ada)
  const tries = await Promise.all(Array.from({ length: 5 }, () => codeOf(revokeKey(ada, id, origin))))
  expect(tries.toSorted()).toEqual(['let in', ...Array(4).fill('not_found')])
  expect((await db().apiKey.findUnique({ where: { id } }))?.revokedAt).toBeInstanceOf(Date)
  expect((await listKeys(ada)).items).toEqual([])
  expect(await db().auditEvent.count({ where: { target: id, action: 'key.revoke' } })).toBe(1)
})

test('nobody has more than a hundred keys, however many are asked for at once', async () => {
  const ada = await makeActor('ada')
  const makeMany = (count: number) => Promise.all(Array.from({ length: count }, () => codeOf(make(ada))))
  for (let made = 0; made < 95; made += 19) await makeMany(19)
  const codes = await makeMany(15)
  expect(codes.toSorted()).toEqual([...Array(10).fill('conflict'), ...Array(5).fill('let in')])
  const [one] = (await listKeys(ada)).items
  await revokeKey(ada, one?.id ?? '', origin)
  expect(await codeOf(make(ada))).toBe('let in')
})

test('when a key was last used is noted, and not again within the minute', async () => {
  const { key, id } = await make(await makeActor('ada'))
  const lastUsed = async () => (await db().apiKey.findUnique({ where: { id } }))?.lastUsedAt
  await Promise.all(Array.from({ length: 10 }, () => requireCaller(send(key))))
  await vi.waitFor(async () => expect(await lastUsed()).toBeInstanceOf(Date))
  const noted = await lastUsed()
  await requireCaller(send(key))
  expect(await lastUsed()).toEqual(noted)
  const longAgo = new Date(Date.now() - 61_000)
  await db().apiKey.update({ where: { id }, data: { lastUsedAt: longAgo } })
  await vi.waitFor(async () => {
    await requireCaller(send(key))
    expect(await lastUsed()).not.toEqual(longAgo)
  })
})

test('an address that sends keys that are none is held off, and with it no key that was good there', async () => {
  const ada = await makeActor('ada')
  const [good, fresh, revoked] = [await make(ada), await make(ada), await make(ada)]
  await requireCaller(send(good.key, '203.0.113.5'))
  await requireCaller(send(revoked.key, '203.0.113.5'))
  await revokeKey(ada, revoked.id, origin)
  expect(await codeOf(requireCaller(send(revoked.key, '203.0.113.5')))).toBe('unauthenticated')
  for (let n = 0; n < 4; n++)
    expect(await codeOf(requireCaller(send(makeKeyText(), '203.0.113.5')))).toBe('unauthenticated')
  for (const key of [makeKeyText(), revoked.key, fresh.key])
    expect(await codeOf(requireCaller(send(key, '203.0.113.5')))).toBe('too_many_requests')
  expect(await codeOf(requireCaller(send(good.key, '203.0.113.5')))).toBe('let in')
  expect(await codeOf(requireCaller(send(fresh.key, '203.0.113.6')))).toBe('let in')
})

test('the database has the hash of a key, and no two keys have one', async () => {
  const { key, id, last4 } = await make(await makeActor('ada'))
  const row = await db().apiKey.findUniqueOrThrow({ where: { id } })
  const text = JSON.stringify({ ...row, hash: Buffer.from(row.hash).toString('latin1') })
  expect(row.hash).toHaveLength(32)
  expect(text).not.toContain(key.slice(4, -4))
  expect(key.endsWith(last4)).toBe(true)
  const again = { ...row, id: (await make(await makeActor('eve'))).id }
  await expect(db().apiKey.update({ where: { id: again.id }, data: { hash: row.hash } })).rejects.toThrow()
})

test('a key for a project that is gone, or another’s, is not made', async () => {
  const [ada, eve] = [await makeActor('ada'), await makeActor('eve')]
  const data = {
    id: ada.userId,
    name: 'Project',
    members: { create: { userId: ada.userId, role: 'viewer' } },
  }
  const { id } = await db().project.create({ data })
  expect(await codeOf(make(eve, ['chat'], { project_id: id }))).toBe('not_found')
  expect(await codeOf(make(ada, ['chat'], { project_id: eve.userId }))).toBe('not_found')
  const { key } = await make(ada, ['chat'], { project_id: id })
  expect((await requireCaller(send(key))).boundTo).toBe(id)
  await db().project.delete({ where: { id } })
  await soon(async () => expect(await codeOf(requireCaller(send(key)))).toBe('unauthenticated'))
})

test('what this server changes of a key counts with the next call, however fast they come', async () => {
  const ada = await makeActor('ada')
  const { key, id } = await make(ada)
  for (const requests_per_minute of [7, 8, null]) {
    await requireCaller(send(key))
    await updateKey(ada, id, { input: { requests_per_minute }, origin })
    expect((await requireCaller(send(key))).policy?.requestsPerMinute).toBe(requests_per_minute)
  }
  await revokeKey(ada, id, origin)
  expect(await codeOf(requireCaller(send(key)))).toBe('unauthenticated')
  const ending = await make(ada, ['chat'], { expires_at: new Date(Date.now() + 300).toISOString() })
  expect(await codeOf(requireCaller(send(ending.key)))).toBe('let in')
  await new Promise((done) => setTimeout(done, 310))
  expect(await codeOf(requireCaller(send(ending.key)))).toBe('unauthenticated')
})

test('twenty keys made at once are listed newest first, page by page', async () => {
  const ada = await makeActor('ada')
  await Promise.all(Array.from({ length: 20 }, () => make(ada)))
  const first = await listKeys(ada, { limit: 15 })
  const second = await listKeys(ada, { limit: 15, cursor: first.next_cursor ?? undefined })
  const times = [...first.items, ...second.items].map(({ created_at: at }) => at)
  expect([first.items.length, second.items.length, second.next_cursor]).toEqual([15, 5, null])
  expect(times).toEqual(times.toSorted().reverse())
  expect(new Set([...first.items, ...second.items].map(({ id }) => id)).size).toBe(20)
})

test('what another server changes counts after half a second, however slowly the key was looked up', async () => {
  const { key, id } = await make(await makeActor('slow'))
  let looking = Promise.resolve('')
  await db().$transaction(async (other) => {
    await other.$executeRaw`LOCK TABLE users IN ACCESS EXCLUSIVE MODE`
    looking = codeOf(requireCaller(send(key)))
    await new Promise((wake) => setTimeout(wake, 700))
  })
  expect(await looking).toBe('let in')
  await db().apiKey.update({ where: { id }, data: { revokedAt: new Date() } })
  expect(await codeOf(requireCaller(send(key)))).toBe('unauthenticated')
})
