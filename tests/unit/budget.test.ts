import { afterAll, beforeAll, expect, test } from 'vitest'
import { db } from '@/lib/db'
import { findCost, recordUsage, releaseUse, reserveUse } from '@/lib/usage'
import { findMeterFaults, makeKeyActor, readMeter, usageOf, wishFor } from '../support/budget'
import { makeActor, openLibrary } from '../support/library'
import { withinOneMinute } from '../support/minute'

let close: () => Promise<void>

beforeAll(async () => {
  close = await openLibrary()
})
afterAll(async () => {
  expect(await findMeterFaults()).toEqual([])
  await close()
})

/** What one call of `wishFor` may cost: 1000 tokens in, 1000 out. */
const oneUsd = 0.00225

test('nobody is limited but by a key with a limit, and nothing is stored of the others', async () => {
  expect(await reserveUse(await makeActor('ada'), wishFor())).toBeNull()
  const free = await makeKeyActor({})
  expect(await reserveUse(free, wishFor())).toBeNull()
  expect(await db().keyMeter.count({ where: { keyId: free.keyId } })).toBe(0)
})

test('what a call may cost is set aside, and gives way to what it cost, once', async () => {
  const ada = await makeKeyActor({ budgetUsd: '1' })
  const reservation = await reserveUse(ada, wishFor())
  expect(reservation).toMatchObject({ outputTokens: null, limits: { requests: null, tokens: null } })
  expect(await readMeter(ada)).toMatchObject({ spent: '0', reserved: String(oneUsd) })
  const use = usageOf(ada, reservation)
  const answers = await Promise.all(Array.from({ length: 10 }, () => recordUsage(use)))
  expect(answers.filter(Boolean)).toHaveLength(1)
  expect(await readMeter(ada)).toMatchObject({ spent: '0.0005', reserved: '0' })
  const row = await db().usageEntry.findFirstOrThrow({ where: { keyId: ada.keyId } })
  expect({ id: row.id, at: row.at }).toEqual({ id: reservation?.id, at: reservation?.openedAt })
  expect(row.costUsd?.toFixed(12)).toBe(await findCost('openai', 'gpt-5-mini', use))
})

test('what was not used comes back, once, and leaves no row in the ledger', async () => {
  await withinOneMinute()
  const ada = await makeKeyActor({ budgetUsd: '1', tokensPerMinute: 100_000, requestsPerMinute: 10 })
  const kept = await reserveUse(ada, wishFor())
  const left = await reserveUse(ada, wishFor())
  if (left) await Promise.all([releaseUse(left), releaseUse(left)])
  expect(await readMeter(ada)).toEqual({ spent: '0', reserved: String(oneUsd), requests: 2, tokens: 1250 })
  expect(await db().usageEntry.count({ where: { keyId: ada.keyId } })).toBe(0)
  expect(await recordUsage(usageOf(ada, kept))).toBe(true)
})

test('a hundred calls at once on a budget of a dollar never set aside more than it', async () => {
  await withinOneMinute()
  const ada = await makeKeyActor({ budgetUsd: '1' })
  const wish = wishFor({ inputTokens: 80_000, outputTokens: 8000 })
  const calls = await Promise.all(
    Array.from({ length: 100 }, () =>
      reserveUse(ada, wish).catch((error: { code: string }) => {
        expect(error).toMatchObject({ code: 'budget_exceeded', facts: { code: 'insufficient_quota' } })
        return null
      }),
    ),
  )
  const granted = calls.filter((call) => call !== null)
  // 0.02 for what is read and 0.016 for what is written.
  expect(granted).toHaveLength(27)
  expect(await readMeter(ada)).toMatchObject({ spent: '0', reserved: '0.972', requests: 27 })
  const used = { inputTokens: 80_000, outputTokens: 8000 }
  await Promise.all(granted.map((call) => recordUsage(usageOf(ada, call, used))))
  expect(await readMeter(ada)).toMatchObject({ spent: '0.972', reserved: '0' })
})

test('of a hundred calls at once without a maximum all get in, each with one that the dollar pays for', async () => {
  const ada = await makeKeyActor({ budgetUsd: '1' })
  const wish = wishFor({ outputTokens: null })
  const granted = await Promise.all(Array.from({ length: 100 }, () => reserveUse(ada, wish)))
  const most = granted.map((call) => call?.outputTokens ?? 0)
  expect(Math.min(...most)).toBeGreaterThanOrEqual(1024)
  expect(Math.max(...most)).toBeGreaterThan(31_000)
  expect(Number((await readMeter(ada)).reserved)).toBeLessThanOrEqual(1)
  await Promise.all(
    granted.map((call, index) => {
      const used = { inputTokens: 1000, outputTokens: most[index] ?? 0 }
      return recordUsage(usageOf(ada, call, used))
    }),
  )
  const { spent } = await readMeter(ada)
  expect(Number(spent)).toBeLessThanOrEqual(1)
  expect(Number(spent)).toBeGreaterThan(0.5)
})

test('a call without a maximum gets all that the model can put out where that is cheap, and 1,024 tokens at least', async () => {
  const rich = await makeKeyActor({ budgetUsd: '100' })
  expect(await reserveUse(rich, wishFor({ outputTokens: null }))).toMatchObject({ outputTokens: null })
  const unknown = wishFor({ outputTokens: null, mostOutputTokens: null })
  expect(await reserveUse(rich, unknown)).toMatchObject({ outputTokens: 8192 })
  const poor = await makeKeyActor({ budgetUsd: '0.0025' })
  expect(await reserveUse(poor, wishFor({ outputTokens: null }))).toMatchObject({ outputTokens: 1024 })
  const poorer = await makeKeyActor({ budgetUsd: '0.002297' })
  await expect(reserveUse(poorer, wishFor({ outputTokens: null }))).rejects.toMatchObject({
    code: 'budget_exceeded',
  })
})

test('a maximum that is stated is paid for whole or refused; a model that costs nothing never is', async () => {
  const ada = await makeKeyActor({ budgetUsd: String(oneUsd) })
  await expect(reserveUse(ada, wishFor({ outputTokens: 1001 }))).rejects.toMatchObject({
    code: 'budget_exceeded',
  })
  expect(await reserveUse(ada, wishFor())).not.toBeNull()
  await expect(reserveUse(ada, wishFor())).rejects.toMatchObject({ code: 'budget_exceeded' })
  const nothing = wishFor({ model: 'omni-moderation-latest', outputTokens: 0 })
  expect(await reserveUse(ada, nothing)).not.toBeNull()
  const demo = wishFor({ provider: 'demo', model: 'demo', outputTokens: null })
  expect(await reserveUse(ada, demo)).toMatchObject({ outputTokens: null })
})

test('a model whose price nobody knows is no budget’s, and any other limit’s', async () => {
  const wish = wishFor({ provider: 'openai-compatible', model: 'llama' })
  await expect(reserveUse(await makeKeyActor({ budgetUsd: '1' }), wish)).rejects.toMatchObject({
    code: 'forbidden',
    facts: { code: 'model_price_unknown' },
  })
  const slow = await makeKeyActor({ requestsPerMinute: 1 })
  const reservation = await reserveUse(slow, wish)
  expect(reservation).toMatchObject({ limits: { requests: { limit: 1, remaining: 0 }, tokens: null } })
  const use = usageOf(slow, reservation, { provider: 'openai-compatible', model: 'llama' })
  expect(await recordUsage(use)).toBe(true)
})

test('a budget pays for Claude, by Anthropic’s prices', async () => {
  const ada = await makeKeyActor({ budgetUsd: '1' })
  const wish = wishFor({ provider: 'anthropic', model: 'claude-sonnet-4-5-20250929' })
  const reservation = await reserveUse(ada, wish)
  expect(await readMeter(ada)).toMatchObject({ spent: '0', reserved: '0.018' })
  const use = usageOf(ada, reservation, { provider: wish.provider, model: wish.model })
  expect(await recordUsage(use)).toBe(true)
  const row = await db().usageEntry.findFirstOrThrow({ where: { keyId: ada.keyId } })
  expect(row.costUsd?.toFixed(12)).toBe(await findCost(wish.provider, wish.model, use))
  expect(await readMeter(ada)).toMatchObject({ reserved: '0' })
})

test('a budget sets aside what a call costs that reads as much as it may, and pays for what it read', async () => {
  const ada = await makeKeyActor({ budgetUsd: '10' })
  const model = 'gpt-6.1-sol'
  await reserveUse(ada, wishFor({ model, inputTokens: 272_000 }))
  // All of it may be written to the cache.
  expect(await readMeter(ada)).toMatchObject({ reserved: '0.69' })
  const long = await reserveUse(ada, wishFor({ model, inputTokens: 300_000 }))
  expect(await readMeter(ada)).toMatchObject({ reserved: '2.205' })
  const use = usageOf(ada, long, { model, inputTokens: 200_000, cacheWriteTokens: 0, outputTokens: 1000 })
  expect(await recordUsage(use)).toBe(true)
  expect(await readMeter(ada)).toMatchObject({ spent: '0.41', reserved: '0.69' })
})

test('use of the key that nothing was set aside for counts too', async () => {
  const ada = await makeKeyActor({ budgetUsd: '1' })
  await recordUsage(usageOf(ada, null))
  await reserveUse(ada, wishFor())
  expect(await readMeter(ada)).toMatchObject({ spent: '0.0005' })
  await recordUsage(usageOf(ada, null, { outputTokens: 700 }))
  expect(await readMeter(ada)).toMatchObject({ spent: '0.002', reserved: String(oneUsd) })
})

test('the meter is made while calls are written down, and misses none', async () => {
  const ada = await makeKeyActor({ budgetUsd: '1' })
  const work = Array.from({ length: 60 }, (_, index) =>
    index % 6 === 5 ? reserveUse(ada, wishFor()) : recordUsage(usageOf(ada, null)),
  )
  await Promise.all(work)
  expect(await readMeter(ada)).toMatchObject({ spent: '0.025', reserved: '0.0225' })
})
