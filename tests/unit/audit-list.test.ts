import { afterAll, beforeAll, expect, test } from 'vitest'
import { listAudit, recordAudit } from '@/lib/audit'
import type { Actor } from '@/lib/auth'
import { type AuditEntry, AuditQuery } from '@/lib/contracts/audit'
import { db, type Transaction } from '@/lib/db'
import { findRows, readFilter } from '../../lib/audit/rows'
import { makeEvent, storeEvents, storeMany } from '../support/audit'
import { makeActor, openLibrary } from '../support/library'

let close: () => Promise<void>
let ada: Actor
let eve: Actor

beforeAll(async () => {
  close = await openLibrary()
  ada = await makeActor('ada', 'admin')
  eve = await makeActor('eve')
})
afterAll(() => close())

const list = (query: object = {}) => listAudit(ada, AuditQuery.parse(query))

async function listWhole(query: object = {}): Promise<AuditEntry[]> {
  const all: AuditEntry[] = []
  let cursor: string | undefined
  do {
    const page = await list({ ...query, ...(cursor && { cursor }) })
    all.push(...page.items)
    cursor = page.next_cursor ?? undefined
  } while (cursor)
  return all
}

test('members do not read the audit', async () => {
  const query = AuditQuery.parse({})
  await expect(listAudit(eve, query)).rejects.toMatchObject({ code: 'forbidden' })
})

test('records come newest first, page by page, each once, also where many are of one moment', async () => {
  const target = 'paging'
  const events = Array.from({ length: 25 }, (_, n) =>
    makeEvent({ target, at: new Date(Date.UTC(2026, 4, 1, 12, 0, Math.floor(n / 10))) }),
  )
  await storeEvents(events)
  const newestFirst = events.toSorted((a, b) => b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : -1))
  for (const limit of ['1', '7', '10', '25', '100']) {
    const ids = (await listWhole({ target, limit })).map(({ id }) => id)
    expect(ids).toEqual(newestFirst.map(({ id }) => id))
  }
})

test('records written while someone pages neither come twice nor push one out', async () => {
  const target = 'moving'
  const before = Array.from({ length: 6 }, () => makeEvent({ target }))
  await storeEvents(before)
  const first = await list({ target, limit: '3' })
  await recordAudit({ actorId: ada.userId, action: 'account.signin', target })
  const second = await list({ target, limit: '3', cursor: first.next_cursor })
  const seen = [...first.items, ...second.items].map(({ id }) => id)
  expect(seen.toSorted()).toEqual(before.map(({ id }) => id).toSorted())
})

test('a record tells who did it, by which key, from where, and what the target is called', async () => {
  const keyId = '018f0000-0000-7000-8000-000000000001'
  await recordAudit({
    actorId: eve.userId,
    keyId,
    action: 'credential.create',
    target: 'told',
    ip: '192.0.2.7',
    requestId: 'request-1',
    detail: { scope: 'user', type: 'openai', label: 'Team', last4: '9e77', version: 1 },
  })
  expect((await list({ target: 'told' })).items).toEqual([
    {
      id: expect.any(String),
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      action: 'credential.create',
      actor: { id: eve.userId, email: eve.email },
      key_id: keyId,
      target: 'told',
      target_name: 'Team ··9e77',
      ip: '192.0.2.7',
      request_id: 'request-1',
      detail: { scope: 'user', type: 'openai', label: 'Team', last4: '9e77', version: 1 },
    },
  ])
})

test('who is gone is told by the id, and an account as a target by its email', async () => {
  const gone = await makeActor('gone')
  await storeEvents([makeEvent({ actorId: gone.userId, target: eve.userId })])
  await db().user.delete({ where: { id: gone.userId } })
  const { items } = await list({ actor: gone.userId })
  expect(items).toMatchObject([{ actor: { id: gone.userId, email: null }, target_name: eve.email }])
})

test('filters narrow by action, person, target and period, alone and together', async () => {
  const target = 'filtered'
  const day = (n: number) => new Date(Date.UTC(2025, 0, n, 12))
  await storeEvents([
    makeEvent({ target, at: day(1), actorId: ada.userId, action: 'credential.test' }),
    makeEvent({ target, at: day(2), actorId: eve.userId, action: 'credential.test' }),
    makeEvent({ target, at: day(3), actorId: eve.userId, action: 'credential.delete' }),
  ])
  const days = async (query: object) =>
    (await list({ target, ...query })).items.map(({ at }) => new Date(at).getUTCDate())
  expect(await days({})).toEqual([3, 2, 1])
  expect(await days({ action: 'credential.test' })).toEqual([2, 1])
  expect(await days({ actor: eve.userId })).toEqual([3, 2])
  expect(await days({ actor: eve.email.toUpperCase() })).toEqual([3, 2])
  expect(await days({ actor: 'nobody@example.com' })).toEqual([])
  expect(await days({ from: '2025-01-02' })).toEqual([3, 2])
  expect(await days({ to: '2025-01-02' })).toEqual([2, 1])
  expect(await days({ from: '2025-01-02', to: '2025-01-02' })).toEqual([2])
  expect(await days({ from: '2025-01-02T12:00:00Z', to: '2025-01-03T12:00:00Z' })).toEqual([2])
  expect(await days({ from: '2025-01-02T14:00:00+02:00' })).toEqual([3, 2])
  expect(await days({ from: '2025-01-03', to: '2025-01-01' })).toEqual([])
  expect(await days({ actor: eve.userId, action: 'credential.test', from: '2025-01-01' })).toEqual([2])
})

test.each([
  ['an action that there is none of', { action: 'credential.steal' }],
  ['a day that there is none of', { from: '2025-02-30' }],
  ['a time without a zone', { to: '2025-02-03T10:00:00' }],
  ['a year that the database has not', { from: '0000-01-01' }],
  ['a year beyond all', { to: '9999-12-31' }],
  ['a field that there is none of', { offset: '3' }],
  ['a page of thousands', { limit: '1000' }],
  ['an empty person', { actor: ' ' }],
])('%s is refused', (_, query) => {
  expect(AuditQuery.safeParse(query).success).toBe(false)
})

test('a cursor that no list gave is refused', async () => {
  await expect(list({ cursor: 'bm90LW9uZQ' })).rejects.toMatchObject({ code: 'invalid_input' })
})

/** How often this connection has read the table whole, and how many rows it has looked at. */
async function countReads(tx: Transaction): Promise<{ scanned: number; fetched: number }> {
  const [reads] = await tx.$queryRaw<{ scanned: number; fetched: number }[]>`
    SELECT seq_scan::int AS scanned, (idx_tup_fetch + seq_tup_read)::int AS fetched
    FROM pg_stat_xact_user_tables WHERE relname = 'audit_events'`
  return reads ?? { scanned: 0, fetched: 0 }
}

test('no filter reads the whole table, and a deep page reads no more than the first', async () => {
  await storeMany(20_000, eve.userId)
  const deep = { at: new Date('2020-01-01T00:20:00Z'), id: 'ffffffff-ffff-4fff-bfff-ffffffffffff' }
  for (const filter of [
    {},
    { action: 'credential.test' as const },
    { actor: eve.email },
    { target: 'target-7' },
    { from: '2020-01-01', to: '2020-01-01' },
  ]) {
    for (const place of [null, deep]) {
      const { rows, scanned, fetched } = await db().$transaction(async (tx) => {
        const before = await countReads(tx)
        const found = await findRows(tx, (await readFilter(tx, filter)) ?? {}, { place, take: 51 })
        const { scanned, fetched } = await countReads(tx)
        return { rows: found.length, scanned: scanned - before.scanned, fetched: fetched - before.fetched }
      })
      const what = JSON.stringify({ filter, deep: place !== null })
      expect([what, scanned]).toEqual([what, 0])
      expect(rows, what).toBeGreaterThan(0)
      // A quarter of the rows has the action: by either index, few more are looked at than are found.
      expect(fetched, what).toBeLessThanOrEqual(51 * 4 + 10)
    }
  }
})
