import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { db } from '@/lib/db'
import { openAiErrorResponse } from '@/lib/http/openai-error'
import { errorResponse } from '@/lib/http/portal-error'
import { recordUsage, releaseUse, requireUseLeft, reserveUse, writeLimits } from '@/lib/usage'
import { type KeyActor, makeKeyActor, readMeter, usageOf, wishFor } from '../support/budget'
import { makeActor, openLibrary } from '../support/library'
import { withinOneMinute } from '../support/minute'

let close: () => Promise<void>

beforeAll(async () => {
  close = await openLibrary()
})
// Each test wants one minute for itself.
beforeEach(async () => {
  await withinOneMinute()
})
afterAll(() => close())

const none = (actor: KeyActor, wish = wishFor()) =>
  reserveUse(actor, wish).then(
    () => expect.fail('it was not refused'),
    (error: unknown) => error,
  )

/** How OpenAI's clients read a refusal. */
async function tell(error: unknown) {
  const response = openAiErrorResponse(error, 'request')
  const { error: said } = (await response.json()) as { error: Record<string, unknown> }
  return {
    message: String(said.message),
    status: response.status,
    headers: Object.fromEntries(response.headers),
    ...said,
  }
}

/** Moves what is counted of a key into the past, as time would. */
async function age({ keyId }: KeyActor, interval: string): Promise<void> {
  await db()
    .$executeRaw`UPDATE key_meters SET minute = minute - ${interval}::interval WHERE key_id = ${keyId}::uuid`
  await db().$executeRaw`
    UPDATE key_reservations SET opened_at = opened_at - ${interval}::interval WHERE key_id = ${keyId}::uuid`
}

test('a budget that does not pay for the call is OpenAI’s insufficient_quota, which its clients do not try again', async () => {
  const ada = await makeKeyActor({ budgetUsd: '0.001000', budgetPeriod: 'day' })
  const error = await none(ada)
  const { message, ...said } = await tell(error)
  expect(said).toMatchObject({
    status: 429,
    type: 'insufficient_quota',
    code: 'insufficient_quota',
    param: null,
    headers: { 'x-should-retry': 'false' },
  })
  expect(message).toContain('$0.001 a day')
  expect(said.headers).not.toHaveProperty('retry-after')
  expect(errorResponse(error, 'request').status).toBe(402)
})

test('a minute’s requests end with OpenAI’s rate_limit_exceeded and its headers; a further try is none, a refused one neither', async () => {
  const ada = await makeKeyActor({ requestsPerMinute: 2, tokensPerMinute: 10_000 })
  const first = await reserveUse(ada, wishFor())
  expect(writeLimits(first?.limits ?? expect.fail())).toMatchObject({
    'x-ratelimit-limit-requests': '2',
    'x-ratelimit-remaining-requests': '1',
    'x-ratelimit-limit-tokens': '10000',
    'x-ratelimit-remaining-tokens': '8750',
  })
  await reserveUse(ada, wishFor())
  const said = await tell(await none(ada))
  expect(said).toMatchObject({
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    headers: {
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': expect.stringMatching(/^([0-9.]+s|[0-9]+ms|1m0s)$/),
      'x-ratelimit-remaining-tokens': '7500',
      'retry-after': expect.stringMatching(/^[1-9][0-9]?$/),
    },
  })
  expect(await reserveUse(ada, wishFor({ isAgain: true }))).not.toBeNull()
  expect(await readMeter(ada)).toMatchObject({ requests: 2, tokens: 3750 })
})

test('tokens of a minute are those that are likely, then those that were used; a call that is too large is told so', async () => {
  const ada = await makeKeyActor({ tokensPerMinute: 3000 })
  const [kept, left] = [await reserveUse(ada, wishFor()), await reserveUse(ada, wishFor())]
  expect(await tell(await none(ada))).toMatchObject({
    type: 'tokens',
    code: 'rate_limit_exceeded',
    headers: { 'x-ratelimit-remaining-tokens': '500' },
  })
  if (left) await releaseUse(left)
  await recordUsage(usageOf(ada, kept, { inputTokens: 40, outputTokens: 10 }))
  expect(await readMeter(ada)).toMatchObject({ tokens: 50 })
  const large = await tell(await none(ada, wishFor({ likelyTokens: 3001 })))
  expect(large).toMatchObject({ type: 'tokens', headers: { 'x-should-retry': 'false' } })
  expect(await reserveUse(ada, wishFor({ likelyTokens: 2950 }))).not.toBeNull()
})

test('the next minute begins with nothing; what was begun in the last one does not count in it', async () => {
  const ada = await makeKeyActor({ requestsPerMinute: 1, tokensPerMinute: 2000 })
  const old = await reserveUse(ada, wishFor())
  await none(ada)
  await age(ada, '1 minute')
  const young = await reserveUse(ada, wishFor())
  expect(young).toMatchObject({ limits: { requests: { remaining: 0 }, tokens: { remaining: 750 } } })
  await recordUsage(usageOf(ada, old))
  expect(await readMeter(ada)).toMatchObject({ requests: 1, tokens: 1250 })
})

test('whether anything is left can be asked without taking any of it', async () => {
  await requireUseLeft(await makeActor('ada'))
  const poor = await makeKeyActor({ budgetUsd: '0.00225' })
  await requireUseLeft(poor)
  await reserveUse(poor, wishFor())
  await expect(requireUseLeft(poor)).rejects.toMatchObject({ code: 'budget_exceeded' })
  const slow = await makeKeyActor({ requestsPerMinute: 1 })
  await requireUseLeft(slow)
  await requireUseLeft(slow)
  await reserveUse(slow, wishFor())
  await expect(requireUseLeft(slow)).rejects.toMatchObject({ code: 'too_many_requests' })
  const small = await makeKeyActor({ tokensPerMinute: 1250 })
  await reserveUse(small, wishFor())
  await expect(requireUseLeft(small)).rejects.toMatchObject({ facts: { type: 'tokens' } })
})

test('times until a limit is whole again are written as OpenAI writes them', () => {
  const written = (resetMs: number) =>
    writeLimits({ requests: { limit: 1, remaining: 0, resetMs }, tokens: null })['x-ratelimit-reset-requests']
  expect([0, 12, 999.2, 1000, 8640, 60_000, 361_500].map(written)).toEqual([
    '0s',
    '12ms',
    '1s',
    '1s',
    '8.64s',
    '1m0s',
    '6m1.5s',
  ])
})
