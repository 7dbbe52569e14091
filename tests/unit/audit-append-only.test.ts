import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { recordAudit } from '@/lib/audit'
import type { Actor } from '@/lib/auth'
import { db } from '@/lib/db'
import { makeActor, openLibrary } from '../support/library'

let close: () => Promise<void>
let ada: Actor

beforeAll(async () => {
  close = await openLibrary()
  ada = await makeActor('ada', 'admin')
})
afterAll(() => close())
beforeEach(() => recordAudit({ actorId: ada.userId, action: 'account.register' }))

const rows = () => db().auditEvent.findMany({ orderBy: { id: 'asc' } })

const changes = [
  ['a change through the typed client', () => db().auditEvent.updateMany({ data: { actorId: null } })],
  ['a deletion through the typed client', () => db().auditEvent.deleteMany()],
  ['an upsert that meets a row', () => upsertFirst()],
  ['a change by hand', () => db().$executeRawUnsafe(`UPDATE audit_events SET action = 'nothing'`)],
  ['a deletion by hand', () => db().$executeRawUnsafe('DELETE FROM audit_events')],
  ['a deletion that meets no row', () => db().$executeRawUnsafe('DELETE FROM audit_events WHERE false')],
  ['emptying the table', () => db().$executeRawUnsafe('TRUNCATE audit_events')],
  ['emptying all tables', () => db().$executeRawUnsafe('TRUNCATE users, audit_events CASCADE')],
  ['a merge', () => mergeAway()],
  ['a deletion where triggers are off', () => deleteAsReplica()],
] as const

async function upsertFirst() {
  const [{ id } = { id: '' }] = await rows()
  await db().$executeRaw`
    INSERT INTO audit_events (id, action) VALUES (${id}::uuid, 'x') ON CONFLICT (id) DO UPDATE SET action = 'x'`
}

async function mergeAway() {
  await db().$executeRawUnsafe(
    'MERGE INTO audit_events USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE',
  )
}

async function deleteAsReplica() {
  await db().$transaction(async (tx) => {
    await tx.$executeRawUnsafe('SET LOCAL session_replication_role = replica')
    await tx.$executeRawUnsafe('DELETE FROM audit_events')
  })
}

for (const [what, change] of changes) {
  test(`${what} is refused, and every record stays as it was`, async () => {
    const before = await rows()
    await expect(change()).rejects.toMatchObject({ name: 'AppError' })
    expect(await rows()).toEqual(before)
    expect(before.length).toBeGreaterThan(0)
  })
}

test('a record outlives the account that it is about', async () => {
  const eve = await makeActor('eve')
  await recordAudit({ actorId: eve.userId, action: 'account.signin', target: eve.userId })
  await db().user.delete({ where: { id: eve.userId } })
  expect(await db().auditEvent.count({ where: { actorId: eve.userId } })).toBe(1)
})

test('what is undone leaves no record', async () => {
  const before = await rows()
  const undone = db().$transaction(async (tx) => {
    await recordAudit({ actorId: ada.userId, action: 'account.password' }, tx)
    throw new Error('after all not')
  })
  await expect(undone).rejects.toMatchObject({ name: 'AppError' })
  expect(await rows()).toEqual(before)
})
