import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BudgetPeriod } from '@/lib/contracts/keys'
import { db } from '@/lib/db'
import { recordUsage, reserveUse } from '@/lib/usage'
import {
  ageKey,
  findMeterFaults,
  type KeyActor,
  makeKeyActor,
  readMeter,
  usageOf,
  wishFor,
} from '../support/budget'
import { openLibrary } from '../support/library'

let close: () => Promise<void>

beforeAll(async () => {
  close = await openLibrary()
})
afterAll(async () => {
  expect(await findMeterFaults()).toEqual([])
  await close()
})

/** Use of the key at a moment of the past, for a cent. */
async function spendAt({ keyId }: KeyActor, at: Date): Promise<void> {
  const tokens = { inputTokens: 0, outputTokens: 5000, costUsd: '0.01', durationMs: 1 }
  const served = { provider: 'openai', model: 'gpt-5-mini', keySource: 'user', outcome: 'completed' }
  await db().usageEntry.create({ data: { id: newId(), at, keyId, surface: 'gateway', ...tokens, ...served } })
}

const now = new Date()
const midnight = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()))
const firstOfMonth = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1))
const justBefore = (time: Date) => new Date(time.getTime() - 1)

test.each([
  ['day', midnight],
  ['month', firstOfMonth],
] as const)(
  'a budget by the %s counts from its first moment in UTC, and nothing of before',
  async (period, start) => {
    const ada = await makeKeyActor({ budgetUsd: '0.02', budgetPeriod: period })
    for (let n = 0; n < 5; n++) await spendAt(ada, justBefore(start))
    await spendAt(ada, start)
    expect(await reserveUse(ada, wishFor())).not.toBeNull()
    expect(await readMeter(ada)).toMatchObject({ spent: '0.01', reserved: '0.00225' })
  },
)

test('a budget in all counts all that the key ever used', async () => {
  const ada = await makeKeyActor({ budgetUsd: '0.02' })
  await spendAt(ada, new Date('2020-01-01'))
  await spendAt(ada, now)
  await expect(reserveUse(ada, wishFor())).rejects.toMatchObject({ code: 'budget_exceeded' })
})

test('days and months are those of UTC, whatever the database’s own time zone is', async () => {
  const [told] = await db().$transaction(async (tx) => {
    await tx.$executeRaw`SET LOCAL TIME ZONE 'Asia/Tokyo'`
    return tx.$queryRaw<Record<string, unknown>[]>`
      SELECT budget_period_start('day', '2026-03-01T00:30:00+02')::text AS day,
        budget_period_start('month', '2026-03-01T00:30:00+02')::text AS month,
        budget_period_start('total', '2026-03-01T00:30:00+02')::text AS total,
        budget_period_end('day', '2026-02-28T22:30:00Z') = '2026-03-01T00:00:00Z' AS "dayEnds",
        budget_period_end('month', '2026-02-28T22:30:00Z') = '2026-03-01T00:00:00Z' AS "monthEnds"`
  })
  const starts = { day: '2026-02-28', month: '2026-02-01', total: '1970-01-01' }
  expect(told).toEqual({ ...starts, dayEnds: true, monthEnds: true })
})

test.each(['day', 'month'] as const)(
  'with the next %s all is there again; what was begun before counts before',
  async (period) => {
    const ada = await makeKeyActor({ budgetUsd: '0.003', budgetPeriod: period })
    const old = await reserveUse(ada, wishFor())
    await expect(reserveUse(ada, wishFor())).rejects.toMatchObject({ code: 'budget_exceeded' })
    await ageKey(ada, period)
    const young = await reserveUse(ada, wishFor())
    expect(await readMeter(ada)).toMatchObject({ spent: '0', reserved: '0.00225' })
    await recordUsage(usageOf(ada, old))
    expect(await readMeter(ada)).toMatchObject({ spent: '0', reserved: '0.00225' })
    await recordUsage(usageOf(ada, young))
    expect(await readMeter(ada)).toMatchObject({ spent: '0.0005', reserved: '0' })
    const rows = await db().usageEntry.findMany({ where: { keyId: ada.keyId }, orderBy: { at: 'asc' } })
    expect(rows.map(({ id }) => id)).toEqual([old?.id, young?.id])
    expect(rows[0]?.at.getTime()).toBeLessThan((period === 'day' ? midnight : firstOfMonth).getTime())
  },
)

test('a budget whose period is changed is counted anew, with what is under way', async () => {
  const ada = await makeKeyActor({ budgetUsd: '10', budgetPeriod: 'day' })
  await spendAt(ada, justBefore(midnight))
  await spendAt(ada, justBefore(firstOfMonth))
  await reserveUse(ada, wishFor())
  const meters: string[] = []
  for (const period of ['day', 'month', 'total', 'month', 'day'] as BudgetPeriod[]) {
    await reserveUse({ ...ada, policy: { ...ada.policy, budgetPeriod: period } }, wishFor())
    expect(await findMeterFaults()).toEqual([])
    meters.push((await readMeter(ada)).spent)
  }
  const inMonth = midnight > firstOfMonth ? '0.01' : '0'
  expect(meters).toEqual(['0', inMonth, '0.02', inMonth, '0'])
  expect(await readMeter(ada)).toMatchObject({ reserved: '0.0135' })
})

test('the meter of the first day of a month is not taken for that of the month', async () => {
  const ada = await makeKeyActor({ budgetUsd: '10', budgetPeriod: 'day' })
  await reserveUse(ada, wishFor())
  await db().keyMeter.update({ where: { keyId: ada.keyId }, data: { period: firstOfMonth, reservedUsd: 0 } })
  await spendAt(ada, now)
  await reserveUse({ ...ada, policy: { ...ada.policy, budgetPeriod: 'month' } }, wishFor())
  expect(await readMeter(ada)).toMatchObject({ spent: '0.01', reserved: '0.0045' })
})
