import fc from 'fast-check'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SetPrice } from '@/lib/contracts/usage'
import { db } from '@/lib/db'
import { readCounts, toChatUsage } from '@/lib/gateway/anthropic/usage'
import { readUsage } from '@/lib/providers'
import { findCost, listPrices, recordUsage, setPrice, type UsageRecord } from '@/lib/usage'
import { costOf, dearestPrice } from '../../lib/usage/cost'
import { listedPrices, type Price, type Rates } from '../../lib/usage/price-list'
import { findPrice } from '../../lib/usage/prices'
import { makeActor, openLibrary, origin } from '../support/library'

let close: () => Promise<void>

beforeAll(async () => {
  close = await openLibrary()
})
afterAll(() => close())

const call = (more: Partial<UsageRecord> = {}): UsageRecord => ({
  userId: null,
  replyId: newId(),
  surface: 'api',
  keyId: null,
  provider: 'openai',
  model: 'gpt-5-mini',
  keySource: 'user',
  credentialId: null,
  credentialLabel: null,
  inputTokens: 1000,
  outputTokens: 100,
  durationMs: 900,
  outcome: 'completed',
  ...more,
})

async function record(more: Partial<UsageRecord> = {}) {
  const entry = call(more)
  await recordUsage(entry)
  const row = await db().usageEntry.findFirstOrThrow({ where: { replyId: entry.replyId ?? '' } })
  return { ...row, cost: row.costUsd === null ? null : row.costUsd.toFixed(12) }
}

test('a call costs what its tokens cost by the list, cached ones less, to the last digit', async () => {
  expect((await record()).cost).toBe('0.000450000000')
  expect((await record({ cachedTokens: 600 })).cost).toBe('0.000315000000')
  expect((await record({ model: 'gpt-5-nano', inputTokens: 1, cachedTokens: 1, outputTokens: 0 })).cost).toBe(
    '0.000000005000',
  )
})

test('the demo costs nothing; a model that nobody knows has no cost, which is not nothing', async () => {
  expect((await record({ provider: 'demo', model: 'demo' })).cost).toBe('0.000000000000')
  for (const model of ['gpt-5-mini-foo', 'gpt-5-min', 'my/gpt-5-mini', 'ft:gpt-4o-mini:acme::1', 'unknown'])
    expect([model, (await record({ model })).cost]).toEqual([model, null])
})

test('a model of a day costs what the model does; a day that is none is another model', async () => {
  expect(await findPrice('openai', 'gpt-5-mini-2025-08-07')).toEqual(await findPrice('openai', 'gpt-5-mini'))
  for (const model of [
    'gpt-5-mini-2025-13-07',
    'gpt-5-mini-2025-08-32',
    'gpt-5-mini-1925-08-07',
    'gpt-5-2025',
  ])
    expect([model, await findPrice('openai', model)]).toEqual([model, null])
})

test('a day is written as Anthropic writes it, too, and its models are told apart by their versions', async () => {
  const claude = (model: string) => findPrice('anthropic', model)
  for (const [model, day] of [
    ['claude-opus-4-5', '20251101'],
    ['claude-sonnet-4-5', '20250929'],
    ['claude-haiku-4-5', '20251001'],
    ['claude-3-5-haiku', '20241022'],
  ])
    expect([model, await claude(`${model}-${day}`)]).toEqual([model, await claude(model ?? '')])
  expect(await claude('claude-opus-4-20250514')).toMatchObject({ input: '15', output: '75' })
  expect(await claude('claude-opus-4-5')).toMatchObject({ input: '5', output: '25' })
  for (const model of [
    'claude-opus-4-5-20251301',
    'claude-opus-4-5-202511-01',
    'claude-opus-4-5-fast',
    'claude-opus',
  ])
    expect([model, await claude(model)]).toEqual([model, null])
})

test('a call of Claude costs what its tokens cost by Anthropic’s list, what its cache knew less', async () => {
  const claude = (more: Partial<UsageRecord> = {}) =>
    record({ provider: 'anthropic', model: 'claude-haiku-4-5', ...more })
  expect((await claude()).cost).toBe('0.001500000000')
  expect((await claude({ cachedTokens: 600 })).cost).toBe('0.000960000000')
  // Newer models give more off than nine tenths.
  expect((await claude({ model: 'claude-opus-5-5', cachedTokens: 1000 })).cost).toBe('0.002200000000')
})

test('what Claude writes to its cache is not free: it costs what it does to read', async () => {
  const told = { input_tokens: 10, cache_creation_input_tokens: 1000, output_tokens: 0 }
  const usage = readUsage({ usage: toChatUsage(readCounts(told)) })
  const inputTokens = usage?.input_tokens ?? 0
  const cost = await findCost('anthropic', 'claude-haiku-4-5', {
    inputTokens,
    cachedTokens: usage?.cached_tokens ?? 0,
    outputTokens: 0,
  })
  expect(cost).toBe('0.001010000000')
})

test('a call that reads more than a model’s price is for costs more, for each of its tokens', async () => {
  const gpt = (inputTokens: number, more: Partial<UsageRecord> = {}) =>
    record({ model: 'gpt-5.4', inputTokens, outputTokens: 1000, ...more })
  expect((await gpt(272_000)).cost).toBe('0.695000000000')
  expect((await gpt(272_001)).cost).toBe('1.382505000000')
  // What its cache knew counts as read.
  expect((await gpt(272_001, { cachedTokens: 272_000 })).cost).toBe('0.158505000000')
  expect((await gpt(272_001, { model: 'gpt-5.4-2026-03-05' })).cost).toBe('1.382505000000')
  const claude = (inputTokens: number, more: Partial<UsageRecord> = {}) =>
    record({ provider: 'anthropic', model: 'claude-haiku-5-5', inputTokens, outputTokens: 1000, ...more })
  expect((await claude(100_000)).cost).toBe('0.010500000000')
  expect((await claude(100_001)).cost).toBe('0.052500500000')
  expect((await claude(100_001, { cachedTokens: 100_001 })).cost).toBe('0.007500050000')
})

test('what OpenAI writes to its cache costs what it says; where it does not, all that was not read may have been', async () => {
  const sol = (more: Partial<UsageRecord>) => record({ model: 'gpt-6.1-sol', outputTokens: 0, ...more })
  expect((await sol({ cacheWriteTokens: 0 })).cost).toBe('0.002000000000')
  expect((await sol({ cacheWriteTokens: 600 })).cost).toBe('0.002300000000')
  expect((await sol({ cacheWriteTokens: 600, cachedTokens: 400 })).cost).toBe('0.001540000000')
  expect((await sol({ cachedTokens: 400 })).cost).toBe('0.001540000000')
  expect((await sol({})).cost).toBe('0.002500000000')
  expect((await sol({ inputTokens: 300_000, cacheWriteTokens: 100_000 })).cost).toBe('1.300000000000')
  // More than there is to write.
  expect((await sol({ cacheWriteTokens: 2 ** 31, cachedTokens: 400 })).cost).toBe('0.001540000000')
  // Others ask no more for it.
  expect((await record({ cacheWriteTokens: 1000 })).cost).toBe((await record()).cost)
})

test('what was written to a cache is read from both of OpenAI’s dialects', () => {
  const details = { cached_tokens: 1, cache_write_tokens: 2 }
  const response = { input_tokens: 9, output_tokens: 1, input_tokens_details: details }
  const chat = { prompt_tokens: 9, completion_tokens: 1, prompt_tokens_details: details }
  for (const usage of [response, chat])
    expect(readUsage({ usage })).toMatchObject({ cached_tokens: 1, cache_write_tokens: 2 })
})

test('a model of whose prices not all is known has none rather than one that is too low', async () => {
  for (const model of ['gpt-5.6-sol', 'gpt-6.2-sol', 'gpt-6.2-astra'])
    expect([model, await findPrice('openai', model)]).toEqual([model, null])
})

test('the longest name wins: a model of a day with a price of its own keeps it', async () => {
  expect(await findPrice('openai', 'gpt-4o-2024-05-13')).toMatchObject({ input: '5', output: '15' })
  expect(await findPrice('openai', 'gpt-4o-2024-11-20')).toMatchObject({ input: '2.5', output: '10' })
})

test('of two prices of one model the newest counts', async () => {
  expect(listedPrices.filter(({ model }) => model === 'o3')).toHaveLength(2)
  expect(await findPrice('openai', 'o3')).toMatchObject({ input: '2', output: '8', validFrom: '2025-06-10' })
})

test('a provider’s list says nothing of another server that calls a model the same', async () => {
  expect((await record({ provider: 'openai-compatible' })).cost).toBeNull()
  for (const provider of ['openai-compatible', 'openai'] as const)
    expect((await record({ provider, model: 'claude-opus-4-5' })).cost).toBeNull()
  expect((await record({ provider: 'anthropic' })).cost).toBeNull()
})

test('an admin sees the lists of all providers, each with its own page', async () => {
  const { items } = await listPrices(await makeActor('ada', 'admin'))
  const find = (name: string) => items.find(({ model }) => model === name)
  expect(find('gpt-5-mini')).toMatchObject({ input_usd: 0.25, source: expect.stringContaining('openai.com') })
  expect(find('claude-sonnet-5-5')).toMatchObject({
    cached_input_usd: 0.1,
    valid_from: '2026-10-07',
    source: expect.stringContaining('claude.com'),
    cache_write_usd: null,
    beyond: null,
  })
  expect(find('gpt-6.1-sol')).toMatchObject({
    input_usd: 2,
    cache_write_usd: 2.5,
    beyond: {
      input_tokens: 272_000,
      input_usd: 4,
      cached_input_usd: 0.2,
      cache_write_usd: 5,
      output_usd: 15,
    },
  })
})

test('every price of the list has a day that has been, a source, and digits that are not lost', () => {
  for (const { model, validFrom, source, ...price } of listedPrices) {
    expect(validFrom, model).toMatch(/^20\d\d-\d\d-\d\d$/)
    expect(Date.parse(validFrom), model).toBeLessThan(Date.now())
    expect(source, model).toMatch(/^https:\/\//)
    for (const { input, cachedInput, cacheWrite, output } of [price, price.beyond ?? price]) {
      for (const figure of [input, cachedInput ?? '0', cacheWrite ?? '0', output])
        expect(figure, model).toMatch(/^\d+(\.\d{1,6})?$/)
      expect(Number(cachedInput ?? input), model).toBeLessThanOrEqual(Number(input))
      expect(Number(cacheWrite ?? input), model).toBeGreaterThanOrEqual(Number(input))
    }
  }
  const names = listedPrices.map(({ model, validFrom }) => `${model} ${validFrom}`)
  expect(new Set(names).size).toBe(names.length)
})

test('no two providers of the list call a model the same', () => {
  const claude = listedPrices.filter(({ provider }) => provider === 'anthropic').map(({ model }) => model)
  const others = listedPrices.filter(({ provider }) => provider !== 'anthropic').map(({ model }) => model)
  expect(claude.filter((model) => others.includes(model))).toEqual([])
})

test('what an admin says counts from then on, for this and its days, and what was written keeps its cost', async () => {
  const admin = await makeActor('ada', 'admin')
  const model = 'gpt-4.1-nano'
  const before = await record({ model })
  await setPrice(admin, { model, price: { input_usd: 3, cached_input_usd: null, output_usd: 5 } }, origin)
  expect((await record({ model, cachedTokens: 500 })).cost).toBe('0.003500000000')
  expect((await record({ model: `${model}-2025-04-14` })).cost).toBe('0.003500000000')
  expect((await record({ model, provider: 'openai-compatible' })).cost).toBe('0.003500000000')
  const kept = await db().usageEntry.findUniqueOrThrow({ where: { id: before.id } })
  expect(kept.costUsd?.toFixed(12)).toBe('0.000140000000')
  await setPrice(admin, { model, price: null }, origin)
  expect((await record({ model })).cost).toBe('0.000140000000')
})

test('a model that the list does not know gets a price, and loses it again', async () => {
  const admin = await makeActor('ada', 'admin')
  const model = `llama-${newId()}`
  const price = { input_usd: 0.000001, cached_input_usd: 0, output_usd: 0 }
  await setPrice(admin, { model, price }, origin)
  expect((await record({ provider: 'openai-compatible', model, inputTokens: 3 })).cost).toBe('0.000000000003')
  const { items } = await listPrices(admin)
  expect(items.find((item) => item.model === model)).toMatchObject({
    ...price,
    is_override: true,
    source: null,
    listed: null,
  })
  await setPrice(admin, { model, price: null }, origin)
  expect((await record({ provider: 'openai-compatible', model })).cost).toBeNull()
  expect((await listPrices(admin)).items.some((item) => item.model === model)).toBe(false)
})

test('every change of a price is in the audit, with what was said before', async () => {
  const admin = await makeActor('ada', 'admin')
  const model = `audited-${newId()}`
  await setPrice(admin, { model, price: { input_usd: 1, cached_input_usd: null, output_usd: 2 } }, origin)
  await setPrice(admin, { model, price: null }, origin)
  const events = await db().auditEvent.findMany({ where: { target: model }, orderBy: { id: 'asc' } })
  const price = { inputUsd: 1, cachedInputUsd: null, outputUsd: 2 }
  expect(events.map(({ action, actorId, detail }) => ({ action, actorId, detail }))).toEqual([
    { action: 'price.update', actorId: admin.userId, detail: { name: model, price, before: null } },
    { action: 'price.update', actorId: admin.userId, detail: { name: model, price: null, before: price } },
  ])
})

test('members neither see prices nor change them', async () => {
  const eve = await makeActor('eve')
  await expect(listPrices(eve)).rejects.toMatchObject({ code: 'forbidden' })
  await expect(setPrice(eve, { model: 'gpt-5', price: null }, origin)).rejects.toMatchObject({
    code: 'forbidden',
  })
  expect(await db().modelPrice.count({ where: { createdBy: eve.userId } })).toBe(0)
})

test('a price is a number from nothing to 100,000 dollars with six digits at most', () => {
  const takes = (input_usd: unknown) =>
    SetPrice.safeParse({ model: 'x', price: { input_usd, output_usd: 0 } }).success
  for (const good of [0, 0.000001, 1.25, 99_999.999999, 100_000])
    expect([good, takes(good)]).toEqual([good, true])
  for (const bad of [-1, 0.0000001, 100_001, Number.NaN, Number.POSITIVE_INFINITY, '1', null])
    expect([bad, takes(bad)]).toEqual([bad, false])
  expect(SetPrice.safeParse({ model: '', price: null }).success).toBe(false)
})

const tokens = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const millionths = fc.integer({ min: 0, max: 100_000_000_000 })
const asPrice = (count: number) => `${Math.floor(count / 1e6)}.${String(count % 1e6).padStart(6, '0')}`

test('costs are exact: the database’s decimal arithmetic comes to the same, whatever the numbers', async () => {
  await fc.assert(
    fc.asyncProperty(fc.tuple(tokens, tokens, tokens, millionths, millionths, millionths), async (drawn) => {
      const [inputTokens, cached, outputTokens, ...prices] = drawn
      const [input = '', cachedInput = '', output = ''] = prices.map(asPrice)
      const cachedTokens = Math.min(cached, inputTokens)
      const cost = costOf({ input, cachedInput, output }, { inputTokens, cachedTokens, outputTokens })
      const [row] = await db().$queryRaw<{ same: boolean }[]>`
        SELECT ${cost}::numeric = ((${inputTokens}::numeric - ${cachedTokens}::numeric) * ${input}::numeric
          + ${cachedTokens}::numeric * ${cachedInput}::numeric
          + ${outputTokens}::numeric * ${output}::numeric) * 0.000001 AS same`
      expect(row?.same).toBe(true)
    }),
    { numRuns: 200 },
  )
})

const rates: fc.Arbitrary<Rates> = fc
  .record({
    input: millionths.map(asPrice),
    cachedInput: fc.option(millionths.map(asPrice)),
    cacheWrite: fc.option(millionths.map(asPrice)),
    output: millionths.map(asPrice),
  })
  .map(({ cacheWrite, ...rest }) => ({ ...rest, ...(cacheWrite !== null && { cacheWrite }) }))
const tiered: fc.Arbitrary<Price> = fc
  .tuple(rates, fc.option(rates), tokens)
  .map(([first, beyond, inputTokens]) => ({
    ...first,
    ...(beyond && { beyond: { ...beyond, inputTokens } }),
  }))

test('whatever a price is, no use within its bounds costs more than was set aside for it', () => {
  const units = (cost: string) => BigInt(cost.replace('.', ''))
  const within = (most: number) => fc.integer({ min: 0, max: most })
  const calls = tiered.chain((price) => {
    const edge = price.beyond?.inputTokens ?? 0
    // Most often just about where the other rates begin.
    const bounds = fc.tuple(fc.oneof(tokens, fc.constantFrom(edge, edge + 1)), tokens)
    return bounds.chain(([mostInput, mostOutput]) =>
      fc.record({
        price: fc.constant(price),
        most: fc.constant({ inputTokens: mostInput, cachedTokens: 0, outputTokens: mostOutput }),
        used: fc.record({
          inputTokens: fc.oneof(within(mostInput), fc.constantFrom(mostInput, Math.min(mostInput, edge))),
          cachedTokens: within(mostInput),
          cacheWriteTokens: fc.option(within(mostInput)),
          outputTokens: within(mostOutput),
        }),
      }),
    )
  })
  fc.assert(
    fc.property(calls, ({ price, most, used }) => {
      const setAside = units(costOf(dearestPrice(price, most.inputTokens), most))
      expect(units(costOf(price, used)) <= setAside).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('the largest call at the highest price fits', async () => {
  const admin = await makeActor('ada', 'admin')
  const model = `dear-${newId()}`
  const price = { input_usd: 100_000, cached_input_usd: 100_000, output_usd: 100_000 }
  await setPrice(admin, { model, price }, origin)
  const most = 2 ** 31 - 1
  expect((await record({ model, inputTokens: most, outputTokens: most })).cost).toBe('429496729.400000000000')
})

test('what a server says of itself cannot break the ledger: no whole numbers, huge ones, names that are none', async () => {
  const row = await record({
    model: `a\0b\ud800${'x'.repeat(500)}`,
    inputTokens: 1e300,
    cachedTokens: Number.NaN,
    outputTokens: -5,
    reasoningTokens: 1.4,
    firstTokenMs: Number.POSITIVE_INFINITY,
  })
  expect(row.model).toMatch(/^ab\ufffdx+$/)
  expect(row.model.length).toBeLessThanOrEqual(200)
  expect(row).toMatchObject({
    inputTokens: 2 ** 31 - 1,
    cachedTokens: 0,
    outputTokens: 0,
    reasoningTokens: 1,
  })
})
