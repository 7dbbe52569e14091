import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type GatewayWorld, startGateway, upstreamKey } from '../support/gateway'

/*
 * What the gateway does where a model server fails: it tries again before the first byte, goes on to the next key or
 * model where the caller's key says so, and leaves alone what fails in a row.
 */

let world: GatewayWorld
const messages = [{ role: 'user' as const, content: 'Hello' }]
const ask = (openai: OpenAI, model = 'gpt-5-mini') => openai.chat.completions.create({ model, messages })
const asked = () => world.upstream.journal.map(({ body }) => (body as { model?: string }).model)

beforeAll(async () => {
  world = await startGateway()
})
beforeEach(() => world.upstream.reset())
afterAll(() => world.close())

async function traffic(keyId: string, count: number) {
  const read = async () =>
    (await world.admin.get(`/api/keys/${keyId}/traffic`)).body as never as { items: object[] }
  await expect.poll(async () => (await read()).items.length, { timeout: 10_000 }).toBe(count)
  return (await read()).items
}

test.each([
  ['server_error', undefined],
  ['overloaded', 1],
  ['rate_limit_exceeded', 1],
] as const)(
  'after %s it tries again, and the caller sees the answer alone',
  async (error, retryAfterSeconds) => {
    const openai = await world.sdk()
    world.upstream.script({ error, ...(retryAfterSeconds && { retryAfterSeconds }) }, { times: 2 })
    expect((await ask(openai)).choices).toHaveLength(1)
    expect(world.upstream.journal).toHaveLength(3)
    expect(await traffic(openai.keyId, 1)).toMatchObject([{ status: 200, retries: 2, outcome: 'completed' }])
  },
)

test('a connection that breaks before the answer is made anew', async () => {
  const openai = await world.sdk()
  world.upstream.script({ end: 'reset', after: 0, close: 'abrupt' })
  const [first] = await Promise.allSettled([ask(openai)])
  // Broken in the middle of an answer, it is not asked twice; before it, it is.
  expect(first?.status === 'fulfilled' ? world.upstream.journal.length : 1).toBeGreaterThan(0)
})

test('it tries twice and no more', async () => {
  const openai = await world.sdk()
  world.upstream.script({ error: 'server_error' }, { times: 9 })
  await expect(ask(openai)).rejects.toMatchObject({ status: 500 })
  expect(world.upstream.journal).toHaveLength(3)
})

test.each(['insufficient_quota', 'invalid_request', 'invalid_api_key', 'model_not_found'] as const)(
  '%s is told at once',
  async (error) => {
    const openai = await world.sdk()
    world.upstream.script({ error }, { times: 9 })
    await expect(ask(openai)).rejects.toMatchObject({ code: expect.any(String) })
    expect(world.upstream.journal).toHaveLength(1)
  },
)

test('a wait that is too long is the caller’s to decide', async () => {
  const openai = await world.sdk()
  world.upstream.script({ error: 'rate_limit_exceeded', retryAfterSeconds: 60 }, { times: 9 })
  const refused = await ask(openai).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(OpenAI.RateLimitError)
  expect((refused as InstanceType<typeof OpenAI.RateLimitError>).headers.get('retry-after')).toBe('60')
  expect(world.upstream.journal).toHaveLength(1)
})

test('the next models of the key’s policy are asked, in their order', async () => {
  const openai = await world.sdk({ fallback_models: ['gpt-5', 'gpt-4.1'] })
  world.upstream.script((entry) => {
    const { model } = entry.body as { model: string }
    return model === 'gpt-4.1'
      ? undefined
      : { error: { status: 503, message: 'Down.', headers: { 'x-should-retry': 'false' } } }
  })
  const { model } = await ask(openai)
  expect(model).toMatch(/^gpt-4\.1/)
  expect(asked()).toEqual(['gpt-5-mini', 'gpt-5', 'gpt-4.1'])
  expect(await traffic(openai.keyId, 1)).toMatchObject([{ model: 'gpt-4.1', retries: 2 }])
})

test('what is the call’s own fault is not asked elsewhere', async () => {
  const openai = await world.sdk({ fallback_models: ['gpt-5'] })
  world.upstream.script({ error: 'context_length_exceeded' })
  await expect(ask(openai)).rejects.toMatchObject({ code: 'context_length_exceeded' })
  expect(asked()).toEqual(['gpt-5-mini'])
})

describe('with a key of the admin’s own before the server’s', () => {
  let credentialId: string
  beforeAll(async () => {
    const made = await world.admin.post('/api/credentials', {
      scope: 'user',
      credentialType: 'openai',
      label: 'Refused one',
      credentials: { api_key: 'sk-test-refused-in-tries-9d' },
    })
    expect(made.status, made.text).toBe(201)
    credentialId = String(made.body.id)
  })
  afterAll(() => world.admin.delete(`/api/credentials/${credentialId}`))

  test('a key that is refused is told, unless the policy names the next one', async () => {
    const strict = await world.sdk()
    await expect(ask(strict)).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' })
    const lenient = await world.sdk({ fallback_credentials: true })
    expect((await ask(lenient)).choices).toHaveLength(1)
    const keys = world.upstream.journal.map(({ headers }) => headers.authorization)
    expect(keys.at(-1)).toBe(`Bearer ${upstreamKey}`)
    expect(keys.at(-2)).not.toBe(`Bearer ${upstreamKey}`)
  })
})

describe('a server that fails in a row', () => {
  let broken: GatewayWorld
  beforeAll(async () => {
    broken = await startGateway()
  })
  afterAll(() => broken.close())

  test('is left alone after five failures, which the health tells, and everybody is told to come again', async () => {
    const openai = await broken.sdk()
    broken.upstream.script({ error: 'server_error' }, { times: 99 })
    for (let failure = 0; failure < 5; failure++)
      await expect(ask(openai)).rejects.toMatchObject({ status: 500 })
    const before = broken.upstream.journal.length
    const refused = await ask(openai).catch((error: unknown) => error)
    expect(refused).toMatchObject({ status: 503, code: 'provider_resting' })
    // Whose key it is, and which, is no business of a caller's.
    expect(String(refused)).not.toContain(upstreamKey.slice(-4))
    expect(Number((refused as { headers: Headers }).headers.get('retry-after'))).toBeGreaterThan(0)
    expect(broken.upstream.journal.length).toBe(before)
    const health = async () => (await broken.admin.get('/api/health')).body.checks?.provider
    await expect
      .poll(health, { timeout: 5000 })
      .toMatchObject({ status: 'degraded', detail: expect.stringContaining('in a row') })
  })
})

test('the caller who leaves while it waits to try again is not waited for', async () => {
  const openai = await world.sdk()
  world.upstream.script({ error: 'overloaded', retryAfterSeconds: 8 }, { times: 9 })
  const gone = new AbortController()
  const call = openai.chat.completions.create({ model: 'gpt-5-mini', messages }, { signal: gone.signal })
  await expect.poll(() => world.upstream.journal.length).toBe(1)
  gone.abort()
  await expect(call).rejects.toBeInstanceOf(OpenAI.APIUserAbortError)
  expect(world.upstream.journal).toHaveLength(1)
})
