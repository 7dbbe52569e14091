import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { db } from '@/lib/db'
import { recordUsage, summarizeWeek, type UsageRecord } from '@/lib/usage'
import { makeActor, openLibrary } from '../support/library'

let close: () => Promise<void>

beforeAll(async () => {
  close = await openLibrary()
})
afterAll(() => close())

const entry = (userId: string): UsageRecord => ({
  userId,
  replyId: newId(),
  surface: 'page',
  keyId: null,
  credentialId: null,
  credentialLabel: null,
  provider: 'openai',
  model: 'gpt-5-mini',
  keySource: 'user',
  inputTokens: 30,
  outputTokens: 12,
  durationMs: 900,
  outcome: 'completed',
})

test('a reply is counted once, however often and from wherever it is reported', async () => {
  const { userId } = await makeActor('ada')
  const once = entry(userId)
  const answers = await Promise.all(Array.from({ length: 20 }, () => recordUsage(once)))
  expect(answers.filter(Boolean)).toHaveLength(1)
  expect(await db().usageEntry.count({ where: { userId } })).toBe(1)
})

test('a row says by which surface and keys the call came, and what the key was called then', async () => {
  const { userId } = await makeActor('ada')
  const [keyId, credentialId] = [newId(), newId()]
  const more = { surface: 'gateway', keyId, credentialId, credentialLabel: 'Team' } as const
  await recordUsage({ ...entry(userId), ...more, cachedTokens: 10, reasoningTokens: 4, firstTokenMs: 120 })
  expect(await db().usageEntry.findFirst({ where: { userId } })).toMatchObject({
    ...more,
    inputTokens: 30,
    cachedTokens: 10,
    outputTokens: 12,
    reasoningTokens: 4,
    firstTokenMs: 120,
    durationMs: 900,
    outcome: 'completed',
    estimated: false,
  })
})

test('the week has seven days, the empty ones too, and only one person’s use', async () => {
  const ada = await makeActor('ada')
  const eve = await makeActor('eve')
  await Promise.all([
    recordUsage(entry(ada.userId)),
    recordUsage(entry(ada.userId)),
    recordUsage(entry(eve.userId)),
  ])
  const days = await summarizeWeek(ada)
  const today = new Date().toISOString().slice(0, 10)
  expect(days).toHaveLength(7)
  expect(days.at(-1)).toEqual({ day: today, requests: 2, tokens: 84 })
  expect(days.slice(0, 6).every(({ requests, tokens }) => requests === 0 && tokens === 0)).toBe(true)
  expect(days.map(({ day }) => day)).toEqual([...days.map(({ day }) => day)].sort())
})

test('a day begins and ends at midnight in UTC; what is older than the week is left out', async () => {
  const ada = await makeActor('ada')
  const today = new Date(new Date().toISOString().slice(0, 10)).getTime()
  const dayMs = 86_400_000
  for (const at of [today - 1, today, today - 6 * dayMs, today - 6 * dayMs - 1]) {
    const { replyId: _, ...use } = entry(ada.userId)
    await db().usageEntry.create({ data: { id: newId(), at: new Date(at), ...use } })
  }
  const days = await summarizeWeek(ada)
  expect(days.map(({ requests }) => requests)).toEqual([1, 0, 0, 0, 0, 1, 1])
})
