import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { db } from '@/lib/db'
import { type Reservation, recordUsage, releaseUse, reserveUse, sweepReservations } from '@/lib/usage'
import { toLedgerEntry } from '@/lib/usage/entry'
import { writeEntry } from '@/lib/usage/record'
import { findMeterFaults, type KeyActor, makeKeyActor, readMeter, usageOf, wishFor } from '../support/budget'
import { killBudgetNodes, startBudgetNode } from '../support/budget-node'
import { openLibrary } from '../support/library'
import { insertReader, insertReply } from '../support/reply-rows'

let close: () => Promise<void>

beforeAll(async () => {
  close = await openLibrary()
})
afterAll(async () => {
  killBudgetNodes()
  expect(await findMeterFaults()).toEqual([])
  await close()
})

/** As time would, had a server not been heard of for so long. */
async function letLeasesRunOut({ keyId }: KeyActor): Promise<void> {
  await db().$executeRaw`
    UPDATE key_reservations SET lease_expires_at = lease_expires_at - interval '31 seconds'
    WHERE key_id = ${keyId}::uuid`
}

const entriesOf = ({ keyId }: KeyActor) =>
  db().usageEntry.findMany({ where: { keyId }, orderBy: { id: 'asc' } })

/** A server that has two calls under way, and is killed. */
async function crashWithTwoCalls(ada: KeyActor): Promise<Reservation[]> {
  const node = await startBudgetNode()
  const call = { do: 'reserve', actor: ada, wish: wishFor() } as const
  const held = await Promise.all([node.ask<Reservation>(call), node.ask<Reservation>(call)])
  await node.kill()
  return held
}

test('what a killed server had set aside is back once its lease has run out, and its calls stand in the ledger', async () => {
  const ada = await makeKeyActor({ budgetUsd: '0.005' })
  const held = await crashWithTwoCalls(ada)
  await sweepReservations()
  expect(await readMeter(ada)).toMatchObject({ spent: '0', reserved: '0.0045' })
  await expect(reserveUse(ada, wishFor())).rejects.toMatchObject({ code: 'budget_exceeded' })
  await letLeasesRunOut(ada)
  const counts = await Promise.all([sweepReservations(), sweepReservations(), sweepReservations()])
  expect(counts.reduce((sum, count) => sum + count)).toBe(2)
  // 250 tokens in: what was likely without the stated maximum.
  expect(await readMeter(ada)).toMatchObject({ spent: '0.000125', reserved: '0' })
  const entries = await entriesOf(ada)
  expect(entries.map(({ id }) => id).sort()).toEqual(held.map(({ id }) => id).sort())
  expect(entries[0]).toMatchObject({
    userId: ada.userId,
    surface: 'gateway',
    provider: 'openai',
    model: 'gpt-5-mini',
    keySource: 'unknown',
    inputTokens: 250,
    outputTokens: 0,
    estimated: true,
    outcome: 'interrupted',
  })
  expect(await reserveUse(ada, wishFor())).not.toBeNull()
})

test('a server that is alone with its database need not wait for leases; its own calls go on', async () => {
  const ada = await makeKeyActor({ budgetUsd: '1' })
  await crashWithTwoCalls(ada)
  const own = await reserveUse(ada, wishFor())
  expect(await sweepReservations({ all: true })).toBe(2)
  expect(await readMeter(ada)).toMatchObject({ spent: '0.000125', reserved: '0.00225' })
  expect(await recordUsage(usageOf(ada, own))).toBe(true)
  expect(await readMeter(ada)).toMatchObject({ spent: '0.000625', reserved: '0' })
})

test('a call that was given up and ends after all is written down as it was, once', async () => {
  const ada = await makeKeyActor({ budgetUsd: '1' })
  const [late] = await crashWithTwoCalls(ada)
  await letLeasesRunOut(ada)
  expect(await sweepReservations()).toBe(2)
  const use = usageOf(ada, late ? { ...late, openedAt: new Date(late.openedAt) } : null)
  const told = await Promise.all([recordUsage(use), recordUsage(use), recordUsage(use)])
  expect(told.filter(Boolean)).toHaveLength(1)
  expect(await readMeter(ada)).toMatchObject({ spent: '0.0005625', reserved: '0' })
  const entries = await entriesOf(ada)
  expect(entries.filter(({ id }) => id === late?.id)).toMatchObject([
    { outcome: 'completed', keySource: 'user' },
  ])
  expect(entries).toHaveLength(2)
})

test('a call whose server says that it goes on is not given up', async () => {
  const ada = await makeKeyActor({ budgetUsd: '1' })
  const node = await startBudgetNode()
  await node.ask({ do: 'reserve', actor: ada, wish: wishFor() })
  const before = await db().keyReservation.findFirstOrThrow({ where: { keyId: ada.keyId } })
  await expect
    .poll(() => db().keyReservation.findFirstOrThrow({ where: { keyId: ada.keyId } }), { timeout: 25_000 })
    .toSatisfy((row: typeof before) => row.leaseExpiresAt > before.leaseExpiresAt)
  expect(await sweepReservations()).toBe(0)
  await node.close()
}, 60_000)

test('a call that says in the last moment that it goes on is not given up by who has just looked', async () => {
  const ada = await makeKeyActor({ budgetUsd: '1' })
  const own = (await reserveUse(ada, wishFor())) ?? expect.fail()
  const { reservation: _, ...use } = usageOf(ada, null)
  expect(await writeEntry({ ...own, isLost: true }, toLedgerEntry(use))).toBe(false)
  expect(await readMeter(ada)).toMatchObject({ spent: '0', reserved: '0.00225' })
  expect(await entriesOf(ada)).toEqual([])
  await releaseUse(own)
})

test('an answer that is being written is settled by who writes it, and only then given up', async () => {
  const ada = await makeKeyActor({ budgetUsd: '1' })
  const row = { nodeId: 'another', leaseMs: 60_000 }
  const { replyId } = await insertReply(await insertReader(), row)
  const wish = wishFor({ id: replyId, surface: 'api' })
  const node = await startBudgetNode()
  await node.ask({ do: 'reserve', actor: ada, wish })
  await node.kill()
  await letLeasesRunOut(ada)
  expect(await sweepReservations()).toBe(0)
  // Whoever has taken it over may not know by which key it was asked for.
  const unknown = { ...usageOf(ada, null), keyId: null, surface: 'page' as const, replyId }
  expect(await recordUsage(unknown)).toBe(true)
  expect(await entriesOf(ada)).toMatchObject([{ id: replyId, replyId, surface: 'api', keyId: ada.keyId }])
  expect(await readMeter(ada)).toMatchObject({ spent: '0.0005', reserved: '0' })
})

test('an answer that ended without a word to the ledger is given up, and not counted twice', async () => {
  const ada = await makeKeyActor({ budgetUsd: '1' })
  const { replyId } = await insertReply(await insertReader(), { nodeId: 'another', leaseMs: 60_000 })
  const node = await startBudgetNode()
  await node.ask({ do: 'reserve', actor: ada, wish: wishFor({ id: replyId, surface: 'api' }) })
  await node.kill()
  await letLeasesRunOut(ada)
  await db().reply.update({ where: { id: replyId }, data: { status: 'failed' } })
  expect(await sweepReservations()).toBe(1)
  expect(await entriesOf(ada)).toMatchObject([{ id: replyId, replyId, outcome: 'interrupted' }])
  expect(await recordUsage({ ...usageOf(ada, null), replyId })).toBe(true)
  expect(await recordUsage({ ...usageOf(ada, null), replyId })).toBe(false)
  expect(await entriesOf(ada)).toMatchObject([{ outcome: 'completed' }])
  expect(await readMeter(ada)).toMatchObject({ spent: '0.0005', reserved: '0' })
})

test('more calls than one look takes are all given up', async () => {
  const ada = await makeKeyActor({ budgetUsd: '1000' })
  const rows = Array.from({ length: 230 }, () => ({
    id: newId(),
    keyId: ada.keyId,
    usd: 0,
    tokens: 0,
    provider: 'demo',
    model: 'demo',
    inputTokens: 1,
    nodeId: 'gone',
    leaseExpiresAt: new Date(0),
  }))
  await db().keyReservation.createMany({ data: rows })
  expect(await sweepReservations()).toBe(230)
  expect(await entriesOf(ada)).toHaveLength(230)
})
