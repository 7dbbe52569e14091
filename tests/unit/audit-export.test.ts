import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exportAudit } from '@/lib/audit'
import type { Actor } from '@/lib/auth'
import { AuditFilter } from '@/lib/contracts/audit'
import { db } from '@/lib/db'
import { makeEvent, storeEvents, storeMany } from '../support/audit'
import { makeActor, openLibrary, origin } from '../support/library'

let close: () => Promise<void>
let ada: Actor
let eve: Actor

beforeAll(async () => {
  close = await openLibrary()
  ada = await makeActor('ada', 'admin')
  eve = await makeActor('eve')
})
afterAll(() => close())

const open = (filter: object = {}, reader: () => Promise<Actor> = async () => ada) =>
  exportAudit(reader, AuditFilter.parse(filter), origin)

type Line = { id: string; time: string; action: string; detail: string }

async function readAll(pieces: AsyncIterable<string>): Promise<Line[]> {
  let text = ''
  for await (const piece of pieces) text += piece
  return parse(text, { columns: true })
}

const exportsWritten = () => db().auditEvent.findMany({ where: { action: 'audit.export' } })

test('members export nothing, and no export is written down', async () => {
  await expect(open({}, async () => eve)).rejects.toMatchObject({ code: 'forbidden' })
  expect(await exportsWritten()).toEqual([])
})

test('an export holds every record that fits, newest first, and its own', async () => {
  const target = 'exported'
  const events = Array.from({ length: 1203 }, (_, n) =>
    makeEvent({ target, at: new Date(Date.UTC(2026, 4, 1, 12, 0, 0, Math.floor(n / 3))) }),
  )
  await storeEvents([...events, makeEvent({ target: 'another' })])
  const newestFirst = events.toSorted((a, b) => b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : -1))
  expect((await readAll(await open({ target }))).map(({ id }) => id)).toEqual(newestFirst.map(({ id }) => id))
  const [newest] = await readAll(await open())
  expect(newest).toMatchObject({ action: 'audit.export', detail: '{}' })
})

test('an export is written down with its filters before anything is given out', async () => {
  const filter = { action: 'account.signin', actor: eve.email, from: '2026-01-01', to: '2026-12-31' }
  const pieces = await open(filter)
  const written = (await exportsWritten()).find(({ detail }) => JSON.stringify(detail).includes(eve.email))
  expect(written).toMatchObject({
    actorId: ada.userId,
    ip: origin.ip,
    requestId: origin.requestId,
    detail: filter,
  })
  await pieces.return(undefined)
})

test('what cannot be written down is not exported', async () => {
  await db().$executeRawUnsafe('ALTER TABLE audit_events RENAME TO audit_events_gone')
  try {
    await expect(open()).rejects.toMatchObject({ name: 'AppError' })
  } finally {
    await db().$executeRawUnsafe('ALTER TABLE audit_events_gone RENAME TO audit_events')
  }
})

test('an export for nobody who is known has headings and nothing else', async () => {
  expect(await readAll(await open({ actor: 'nobody@example.com' }))).toEqual([])
})

test('an export ends with the reader’s right to it', async () => {
  await storeMany(3000, eve.userId)
  let looks = 0
  const pieces = await open({}, async () => ({ ...ada, role: ++looks > 3 ? 'member' : 'admin' }))
  const read = readAll(pieces)
  await expect(read).rejects.toMatchObject({ code: 'forbidden' })
  expect(looks).toBe(4)
})

test('nothing is read before it is asked for, and in pieces of one batch', async () => {
  let looks = 0
  const pieces = await open({}, async () => {
    looks += 1
    return ada
  })
  const lines = async () => {
    const { value } = await pieces.next()
    return parse(String(value)).length
  }
  expect([await lines(), looks]).toEqual([1, 1])
  expect([await lines(), looks]).toEqual([500, 2])
  expect([await lines(), looks]).toEqual([500, 3])
  await pieces.return(undefined)
  expect(await pieces.next()).toEqual({ value: undefined, done: true })
})
