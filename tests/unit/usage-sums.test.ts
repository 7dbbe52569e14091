import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { UsageQuery } from '@/lib/contracts/usage'
import { db } from '@/lib/db'
import { listUsageByDay, summarizeUsage } from '@/lib/usage'
import { readPeriod } from '../../lib/usage/period'
import { makeActor, openLibrary } from '../support/library'

let close: () => Promise<void>

beforeAll(async () => {
  close = await openLibrary()
})
afterAll(() => close())

type Given = {
  at?: string
  model?: string
  projectId?: string | null
  keyId?: string | null
  costUsd?: string | null
  outcome?: string
}

async function use(userId: string, given: Given = {}): Promise<void> {
  const usual = { at: '2026-03-10T12:00:00Z', model: 'gpt-5', outcome: 'completed', costUsd: '0.1' }
  const { at, ...row } = { ...usual, ...given }
  const tokens = { inputTokens: 10, cachedTokens: 4, outputTokens: 5, reasoningTokens: 2 }
  const rest = { provider: 'openai', keySource: 'user', durationMs: 1, at: new Date(at) }
  await db().usageEntry.create({ data: { id: newId(), userId, ...tokens, ...rest, ...row } })
}

const march = (group_by: UsageQuery['group_by'] = 'day'): UsageQuery => ({
  from: '2026-03-01',
  to: '2026-03-31',
  group_by,
})

async function makeProject(owner: Actor, name: string): Promise<string> {
  const id = newId()
  const members = { create: { userId: owner.userId, role: 'owner' } }
  await db().project.create({ data: { id, name, members } })
  return id
}

async function makeKey(owner: Actor, name: string): Promise<string> {
  const id = newId()
  const hash = Buffer.from(id)
  await db().apiKey.create({ data: { id, userId: owner.userId, name, hash, last4: 'abcd', scopes: [] } })
  return id
}

test('sums are exact, and say of how many calls nobody knows the cost', async () => {
  const ada = await makeActor('ada')
  for (let count = 0; count < 10; count += 1) await use(ada.userId)
  await use(ada.userId, { costUsd: null, outcome: 'failed' })
  await use(ada.userId, { costUsd: '0.000000000001', outcome: 'stopped' })
  const { totals } = await summarizeUsage(ada, march())
  expect(totals).toEqual({
    requests: 12,
    input_tokens: 120,
    cached_tokens: 48,
    output_tokens: 60,
    reasoning_tokens: 24,
    total_tokens: 180,
    cost_usd: 1.000000000001,
    unpriced_requests: 1,
    errors: 1,
  })
})

test('whoever used nothing gets nothings and no groups', async () => {
  const { totals, groups } = await summarizeUsage(await makeActor('new'), march('model'))
  expect(new Set(Object.values(totals))).toEqual(new Set([0]))
  expect(groups).toEqual([])
})

test('days are UTC’s: the last moment of a day counts to it, the first of the next does not', async () => {
  const ada = await makeActor('ada')
  for (const at of [
    '2026-02-28T23:59:59.999Z',
    '2026-03-01T00:00:00Z',
    '2026-03-31T23:59:59.999Z',
    '2026-04-01T00:00:00Z',
  ])
    await use(ada.userId, { at })
  const { groups, from, to, time_zone } = await summarizeUsage(ada, march())
  expect(groups.map(({ key, requests }) => [key, requests])).toEqual([
    ['2026-03-01', 1],
    ['2026-03-31', 1],
  ])
  expect({ from, to, time_zone }).toEqual({
    from: '2026-03-01T00:00:00.000Z',
    to: '2026-04-01T00:00:00.000Z',
    time_zone: 'UTC',
  })
})

test('a member sees own use alone, in every grouping; an admin everybody’s', async () => {
  const [ada, eve, root] = [await makeActor('ada'), await makeActor('eve'), await makeActor('root', 'admin')]
  const at = '2025-01-15T00:00:00Z'
  await use(ada.userId, { at })
  await use(eve.userId, { at })
  for (const group_by of ['day', 'model', 'project', 'user', 'key'] as const) {
    const query = { from: '2025-01-15', to: '2025-01-15', group_by }
    const [own, all] = [await summarizeUsage(ada, query), await summarizeUsage(root, query)]
    expect([group_by, own.totals.requests, all.totals.requests]).toEqual([group_by, 1, 2])
    const sum = own.groups.reduce((total, { requests }) => total + requests, 0)
    expect([group_by, sum]).toEqual([group_by, 1])
    expect((await listUsageByDay(ada, query)).map(({ requests }) => requests)).toEqual([1])
  }
  const byUser = await summarizeUsage(root, { from: '2025-01-15', to: '2025-01-15', group_by: 'user' })
  expect(new Set(byUser.groups.map(({ label }) => label))).toEqual(new Set([ada.email, eve.email]))
})

test('a key that is bound to a project sees what was used there, and nothing else', async () => {
  const ada = await makeActor('ada')
  const projectId = await makeProject(ada, 'Here')
  await use(ada.userId, { projectId })
  await use(ada.userId, { projectId: await makeProject(ada, 'Elsewhere') })
  await use(ada.userId)
  const bound = { ...ada, keyId: newId(), scopes: ['portal:read'] as const, boundTo: projectId }
  const { totals, groups } = await summarizeUsage(bound, march('project'))
  expect(totals.requests).toBe(1)
  expect(groups.map(({ key, label }) => [key, label])).toEqual([[projectId, 'Here']])
  const root = { ...bound, ...(await makeActor('root', 'admin')), boundTo: projectId }
  expect((await summarizeUsage(root, march())).totals.requests).toBe(1)
})

test('groups have names that may be known: not of a project that one has left, nor of another’s key', async () => {
  const [ada, eve, root] = [await makeActor('ada'), await makeActor('eve'), await makeActor('root', 'admin')]
  const [mine, left] = [await makeProject(ada, 'Mine'), await makeProject(eve, 'Renamed since')]
  const [own, others] = [await makeKey(ada, 'Own'), await makeKey(eve, 'Secret name')]
  await use(ada.userId, { projectId: mine, keyId: own })
  await use(ada.userId, { projectId: left, keyId: others })
  await use(ada.userId)
  const labels = async (actor: Actor, group: 'project' | 'key') =>
    new Map((await summarizeUsage(actor, march(group))).groups.map(({ key, label }) => [key, label]))
  expect(await labels(ada, 'project')).toEqual(
    new Map([
      [mine, 'Mine'],
      [left, null],
      [null, null],
    ]),
  )
  expect(await labels(ada, 'key')).toEqual(
    new Map([
      [own, 'Own ··abcd'],
      [others, null],
      [null, null],
    ]),
  )
  expect((await labels(root, 'project')).get(left)).toBe('Renamed since')
  expect((await labels(root, 'key')).get(others)).toBe('Secret name ··abcd')
})

test('days and groups together sum up to the groups', async () => {
  const ada = await makeActor('ada')
  for (const day of ['10', '11', '12'])
    for (const model of ['gpt-5', 'gpt-5-mini'])
      await use(ada.userId, {
        at: `2026-03-${day}T08:00:00Z`,
        model,
        costUsd: model === 'gpt-5' ? '0.1' : null,
      })
  const rows = await listUsageByDay(ada, march('model'))
  expect(rows.map(({ day, key }) => `${day} ${key}`)).toEqual(
    ['10', '11', '12'].flatMap((day) => [`2026-03-${day} gpt-5`, `2026-03-${day} gpt-5-mini`]),
  )
  const { groups } = await summarizeUsage(ada, march('model'))
  for (const { key, requests, unpriced_requests, total_tokens } of groups) {
    const same = rows.filter((row) => row.key === key)
    const sum = (of: (row: (typeof rows)[number]) => number) => same.reduce((all, row) => all + of(row), 0)
    expect([
      sum((row) => row.requests),
      sum((row) => row.unpriced_requests),
      sum((row) => row.total_tokens),
    ]).toEqual([requests, unpriced_requests, total_tokens])
  }
})

test('a period begins before it ends, and is 400 days long at most', () => {
  const now = new Date('2026-03-15T10:00:00Z')
  expect(readPeriod({}, now)).toEqual({ from: new Date('2026-02-13T00:00:00Z'), to: now })
  expect(readPeriod({ from: '2026-03-15', to: '2026-03-15' }, now).to).toEqual(
    new Date('2026-03-16T00:00:00Z'),
  )
  expect(readPeriod({ to: '2026-03-15T12:00:00+02:00' }, now).to).toEqual(now)
  for (const bad of [
    { from: '2026-03-16', to: '2026-03-15' },
    { from: '2026-03-16' },
    { from: '2025-01-01', to: '2026-03-01' },
    { from: '2026-03-15T10:00:00Z', to: '2026-03-15T10:00:00Z' },
  ])
    expect(() => readPeriod(bad, now), JSON.stringify(bad)).toThrow(
      expect.objectContaining({ code: 'invalid_input', issues: [expect.objectContaining({ path: 'from' })] }),
    )
})

test('what is asked for otherwise is refused', () => {
  for (const bad of [
    { group_by: 'agent' },
    { from: 'yesterday' },
    { from: '2026-02-30' },
    { to: '1999-01-01' },
    { limit: '5' },
  ])
    expect([bad, UsageQuery.safeParse(bad).success]).toEqual([bad, false])
  expect(UsageQuery.parse({})).toEqual({ group_by: 'day' })
})
