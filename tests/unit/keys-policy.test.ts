import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Actor, createKey, getKey, listKeys, requireCaller, revokeKey, updateKey } from '@/lib/auth'
import { CreateKey, type TrafficEntry, UpdateKey } from '@/lib/contracts/keys'
import { db } from '@/lib/db'
import { asAppError } from '@/lib/errors'
import { listTraffic } from '@/lib/usage'
import { toKeyRecord, withMeter } from '../../lib/auth/key-record'
import { makeActor, openLibrary, origin } from '../support/library'

let close: () => Promise<void>

beforeAll(async () => {
  close = await openLibrary()
})
afterAll(() => close())

const whole = {
  name: 'Nightly report',
  budget_usd: 12.5,
  budget_period: 'month',
  allowed_models: ['gpt-5*', 'agent:0197b4f8-1111-7000-8000-000000000001', 'meta-llama/llama-3.3-70b:free'],
  requests_per_minute: 60,
  tokens_per_minute: 100_000,
  fallback_credentials: true,
  fallback_models: ['gpt-5-mini', 'gpt-5-nano'],
  cache_seconds: 300,
} as const

describe('what a policy may be', () => {
  test('whole, a part of it, or nothing', () => {
    expect(UpdateKey.parse(whole)).toEqual(whole)
    expect(UpdateKey.parse({})).toEqual({})
    expect(UpdateKey.parse({ budget_usd: null, cache_seconds: null })).toEqual({
      budget_usd: null,
      cache_seconds: null,
    })
    expect(CreateKey.parse({ name: 'x', scopes: ['gateway'] })).toEqual({
      name: 'x',
      scopes: ['gateway'],
      budget_period: 'total',
      allowed_models: [],
      fallback_credentials: false,
      fallback_models: [],
    })
  })

  test.each(['*', 'gpt-5*', 'gpt-5', 'o3', 'agent:*', 'openai/gpt-oss-20b', 'llama3.3:70b', 'model@v1+x'])(
    '%s names models',
    (pattern) => {
      expect(UpdateKey.parse({ allowed_models: [pattern] })).toEqual({ allowed_models: [pattern] })
    },
  )

  test.each([
    [{ allowed_models: [''] }, 'allowed_models.0', 'Enter the name of a model, such as gpt-5*.'],
    [
      { allowed_models: ['gpt-5', '*-mini'] },
      'allowed_models.1',
      'Enter the name of a model, such as gpt-5*.',
    ],
    [{ allowed_models: ['gpt-**'] }, 'allowed_models.0', 'Enter the name of a model, such as gpt-5*.'],
    [{ allowed_models: ['gpt 5'] }, 'allowed_models.0', 'Enter the name of a model, such as gpt-5*.'],
    [{ allowed_models: ['gpt-5\n'] }, 'allowed_models.0', 'Enter the name of a model, such as gpt-5*.'],
    [{ allowed_models: ['x'.repeat(201)] }, 'allowed_models.0', 'Enter the name of a model, such as gpt-5*.'],
    [{ allowed_models: ['gpt-5', 'gpt-5'] }, 'allowed_models', 'Name each model once.'],
    [
      { allowed_models: Array.from({ length: 101 }, (_, n) => `m${n}`) },
      'allowed_models',
      'At most 100 models.',
    ],
    [{ fallback_models: ['gpt-5*'] }, 'fallback_models.0', 'Enter the name of a model.'],
    [{ fallback_models: ['a', 'a'] }, 'fallback_models', 'Name each model once.'],
    [{ fallback_models: ['a', 'b', 'c', 'd', 'e', 'f'] }, 'fallback_models', 'At most 5 models.'],
    [{ budget_usd: 0 }, 'budget_usd', 'A budget is more than nothing.'],
    [{ budget_usd: 1e6 }, 'budget_usd', 'At most 999,999 US dollars.'],
    [{ budget_usd: '5' }, 'budget_usd', 'Enter an amount in US dollars, as a number.'],
    [{ budget_usd: Number.NaN }, 'budget_usd', 'Enter an amount in US dollars, as a number.'],
    [{ budget_period: 'week' }, 'budget_period', 'Choose day, month or total.'],
    [{ budget_period: null }, 'budget_period', 'Choose day, month or total.'],
    [{ requests_per_minute: 0 }, 'requests_per_minute', 'Enter a whole number from 1 to 1,000,000.'],
    [{ requests_per_minute: 1.5 }, 'requests_per_minute', 'Enter a whole number from 1 to 1,000,000.'],
    [{ requests_per_minute: 1e6 + 1 }, 'requests_per_minute', 'Enter a whole number from 1 to 1,000,000.'],
    [{ tokens_per_minute: '9' }, 'tokens_per_minute', 'Enter a whole number from 1 to 1,000,000,000.'],
    [{ tokens_per_minute: 1e9 + 1 }, 'tokens_per_minute', 'Enter a whole number from 1 to 1,000,000,000.'],
    [{ cache_seconds: 604_801 }, 'cache_seconds', 'Enter a whole number from 1 to 604,800.'],
  ])('%j is refused in words that help', (wish, path, message) => {
    const said = UpdateKey.safeParse(wish).error?.issues.map((issue) => [issue.path.join('.'), issue.message])
    expect(said).toEqual([[path, message]])
  })

  test.each(['scopes', 'expires_at', 'project_id', 'user_id', 'key'])('%s cannot be changed', (name) => {
    expect(UpdateKey.safeParse({ [name]: null }).success).toBe(false)
  })
})

const make = (actor: Actor, more: Partial<CreateKey> = {}) =>
  createKey(actor, { name: 'Key', scopes: ['gateway'], ...more }, origin)

const change = (actor: Actor, keyId: string, input: UpdateKey) => updateKey(actor, keyId, { input, origin })

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'done',
    (error) => asAppError(error).code,
  )
}

const auditOf = (target: string) =>
  db().auditEvent.findMany({ where: { target, action: 'key.update' }, orderBy: { id: 'asc' } })

test('a change holds for the key’s next call, and what was not given stays', async () => {
  const ada = await makeActor('ada')
  const { key, ...made } = await make(ada, { allowed_models: ['gpt-5*'], requests_per_minute: 3 })
  const record = await change(ada, made.id, { budget_usd: 2, budget_period: 'day', cache_seconds: 60 })
  const now = { ...made, budget_usd: 2, budget_period: 'day', spent_usd: 0, cache_seconds: 60 }
  expect(record).toEqual(now)
  expect(await getKey(ada, made.id)).toEqual(now)
  const { policy } = await requireCaller(
    new Request('http://here.example', { headers: { 'x-api-key': key, 'x-al-peer': '198.51.100.1' } }),
  )
  expect(policy).toEqual({
    budgetUsd: '2.000000',
    budgetPeriod: 'day',
    allowedModels: ['gpt-5*'],
    requestsPerMinute: 3,
    tokensPerMinute: null,
    fallbackCredentials: false,
    fallbackModels: [],
    cacheSeconds: 60,
  })
  const freed = { budget_usd: null, requests_per_minute: null, allowed_models: [], cache_seconds: null }
  expect(await change(ada, made.id, freed)).toEqual({ ...now, ...freed, spent_usd: null })
})

test('a change is written down: what holds from then on, and what of it is new', async () => {
  const ada = await makeActor('ada')
  const { id, last4 } = await make(ada, { requests_per_minute: 3 })
  await change(ada, id, whole as unknown as UpdateKey)
  await change(ada, id, { requests_per_minute: 60 })
  await change(ada, id, {})
  const rows = await auditOf(id)
  expect(rows).toHaveLength(1)
  expect(rows[0]).toMatchObject({ actorId: ada.userId, ip: origin.ip, requestId: origin.requestId })
  expect(rows[0]?.detail).toEqual({
    name: 'Nightly report',
    last4,
    scopes: ['gateway'],
    projectId: null,
    expiresAt: null,
    budgetUsd: '12.5',
    budgetPeriod: 'month',
    allowedModels: whole.allowed_models,
    requestsPerMinute: 60,
    modelTokensPerMinute: 100_000,
    fallbackCredentials: true,
    fallbackModels: whole.fallback_models,
    cacheSeconds: 300,
    changed: Object.keys(whole),
  })
})

test('changes made at once are each written down against what they found', async () => {
  const ada = await makeActor('ada')
  const { id } = await make(ada)
  await Promise.all(Array.from({ length: 8 }, (_, n) => change(ada, id, { requests_per_minute: n + 1 })))
  const rows = await auditOf(id)
  expect(rows.map(({ detail }) => detail)).toEqual(
    Array(8).fill(expect.objectContaining({ changed: ['requests_per_minute'] })),
  )
  const { requests_per_minute } = await getKey(ada, id)
  expect(rows.at(-1)?.detail).toMatchObject({ requestsPerMinute: requests_per_minute })
})

test('a policy as long as it may be is written down', async () => {
  const ada = await makeActor('ada')
  const allowed_models = Array.from({ length: 100 }, (_, n) => `${n}-${'x'.repeat(190)}*`)
  const { id } = await make(ada)
  await change(ada, id, { allowed_models })
  expect((await auditOf(id))[0]?.detail).toMatchObject({ allowedModels: allowed_models })
})

test('another’s key, a revoked one and one that never was are not there', async () => {
  const [ada, eve] = [await makeActor('ada', 'admin'), await makeActor('eve')]
  const key = await make(eve)
  const revoked = await make(eve)
  await revokeKey(eve, revoked.id, origin)
  for (const [actor, id] of [
    [ada, key.id],
    [eve, revoked.id],
    [eve, newId()],
  ] as const) {
    expect(await codeOf(getKey(actor, id))).toBe('not_found')
    expect(await codeOf(change(actor, id, { name: 'Mine' }))).toBe('not_found')
  }
  expect((await getKey(eve, key.id)).name).toBe('Key')
})

test.each([
  ['day', 'day', '2026-03-10', '2026-03-10T23:59:59.999Z', 4.25],
  ['day', 'day', '2026-03-10', '2026-03-11T00:00:00.000Z', 0],
  ['month', 'month', '2026-03-01', '2026-03-31T23:59:59.999Z', 4.25],
  ['month', 'month', '2026-03-01', '2026-04-01T00:00:00.000Z', 0],
  ['total', 'total', '1970-01-01', '2099-12-31T00:00:00.000Z', 4.25],
  // Counted by the day until the budget was made another one.
  ['total', 'day', '2026-03-10', '2026-03-10T12:00:00.000Z', 0],
  ['month', 'day', '2026-03-01', '2026-03-01T12:00:00.000Z', 0],
] as const)('spent of a budget for a %s, counted by the %s from %s, at %s: %d', async (...given) => {
  const [budget_period, periodKind, begun, now, spent] = given
  const ada = await makeActor('ada')
  const { id } = await make(ada, { budget_usd: 10, budget_period })
  const period = new Date(`${begun}T00:00:00Z`)
  const meter = { keyId: id, minute: new Date(), periodKind, period, spentUsd: '4.25' }
  await db().keyMeter.create({ data: meter })
  const row = await db().apiKey.findUniqueOrThrow({ where: { id }, include: withMeter })
  expect(toKeyRecord(row, new Date(now)).spent_usd).toBe(spent)
})

test('without a budget nothing is said of spending; with one, the list says it too', async () => {
  const ada = await makeActor('ada')
  const free = await make(ada)
  const bound = await make(ada, { budget_usd: 10 })
  for (const keyId of [free.id, bound.id])
    await db().keyMeter.create({
      data: { keyId, minute: new Date(), period: new Date(0), spentUsd: '0.000000000001' },
    })
  const { items } = await listKeys(ada)
  expect(items.map(({ id, spent_usd }) => [id, spent_usd])).toEqual([
    [bound.id, 1e-12],
    [free.id, null],
  ])
})

describe('traffic', () => {
  type Given = Partial<Parameters<ReturnType<typeof db>['usageEntry']['create']>[0]['data']>

  async function use(actor: Actor, keyId: string, given: Given = {}): Promise<string> {
    const id = newId()
    const usual = { provider: 'openai', model: 'gpt-5', keySource: 'user', outcome: 'completed' }
    const figures = { inputTokens: 10, cachedTokens: 4, outputTokens: 5, durationMs: 900 }
    await db().usageEntry.create({
      data: { id, userId: actor.userId, keyId, ...usual, ...figures, ...given } as never,
    })
    return id
  }

  test('tells each call, whole', async () => {
    const ada = await makeActor('ada')
    const { id: keyId } = await make(ada)
    const at = new Date('2026-03-10T12:00:00.123Z')
    const id = await use(ada, keyId, {
      at,
      surface: 'gateway',
      endpoint: '/chat/completions',
      status: 200,
      retries: 2,
      cache: 'miss',
      requestId: 'req_12345678',
      credentialLabel: 'Team ··9e77',
      costUsd: '0.000123000000',
      firstTokenMs: 41,
      estimated: true,
    })
    const { items, next_cursor } = await listTraffic(ada, keyId, { limit: 10 })
    expect(next_cursor).toBeNull()
    expect(items).toEqual([
      {
        id,
        at: at.toISOString(),
        endpoint: '/chat/completions',
        model: 'gpt-5',
        provider: 'openai',
        credential_label: 'Team ··9e77',
        status: 200,
        outcome: 'completed',
        input_tokens: 10,
        cached_tokens: 4,
        output_tokens: 5,
        estimated: true,
        cost_usd: 0.000123,
        first_token_ms: 41,
        duration_ms: 900,
        retries: 2,
        cache: 'miss',
        request_id: 'req_12345678',
      } satisfies TrafficEntry,
    ])
  })

  test('says nothing of what nobody knows', async () => {
    const ada = await makeActor('ada')
    const { id: keyId } = await make(ada)
    await use(ada, keyId, { outcome: 'failed' })
    const { items } = await listTraffic(ada, keyId, { limit: 10 })
    const unknown = { endpoint: null, credential_label: null, status: null, cost_usd: null }
    expect(items).toEqual([
      expect.objectContaining({
        ...unknown,
        first_token_ms: null,
        cache: null,
        request_id: null,
        retries: 0,
      }),
    ])
  })

  test('comes page by page, newest first, each call once, also while more are made', async () => {
    const ada = await makeActor('ada')
    const [mine, other] = [await make(ada), await make(ada)]
    const ids: string[] = []
    for (let n = 0; n < 25; n += 1) {
      ids.unshift(await use(ada, mine.id))
      await use(ada, other.id)
    }
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await listTraffic(ada, mine.id, { limit: 10, cursor })
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.next_cursor ?? undefined
      await use(ada, mine.id)
    } while (cursor)
    expect(seen).toEqual(ids)
  })

  test('is its owner’s alone, and stays after the key', async () => {
    const [ada, eve] = [await makeActor('ada', 'admin'), await makeActor('eve')]
    const { id } = await make(eve)
    const entry = await use(eve, id)
    expect(await codeOf(listTraffic(ada, id, { limit: 10 }))).toBe('not_found')
    expect(await codeOf(listTraffic(eve, newId(), { limit: 10 }))).toBe('not_found')
    expect(await codeOf(listTraffic(eve, id, { limit: 10, cursor: 'nowhere' }))).toBe('invalid_input')
    await revokeKey(eve, id, origin)
    expect((await listTraffic(eve, id, { limit: 10 })).items.map((item) => item.id)).toEqual([entry])
  })
})
