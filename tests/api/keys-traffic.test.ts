import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { TrafficEntry } from '../../lib/contracts/keys'
import type { Listing } from '../../lib/contracts/primitives'
import { type Client, signUp } from '../support/client'
import { makeKey } from '../support/keys'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'

const upstreamKey = 'sk-test-traffic-upstream-5c20'

let upstream: OpenAIServer
let server: TestServer
let user: Client

beforeAll(async () => {
  upstream = await startOpenAI({ acceptKey: (given) => given === upstreamKey })
  server = await startServer({ OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: upstreamKey })
  user = await signUp(server.url, 'admin')
})
beforeEach(() => upstream.reset())
afterAll(async () => {
  await server.close()
  await upstream.close()
})

async function makeProgram(): Promise<{ openai: OpenAI; keyId: string }> {
  const { id, key } = await makeKey(user, { scopes: ['gateway'] })
  return { openai: new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 }), keyId: id }
}

async function readTraffic(keyId: string, query = '', by = user): Promise<Listing<TrafficEntry>> {
  const { status, body, text } = await by.get<Listing<TrafficEntry>>(`/api/keys/${keyId}/traffic${query}`)
  expect(status, text).toBe(200)
  return body
}

/** What a call used is written down when it is over, which its caller does not wait for. */
async function untilTraffic(keyId: string, length: number): Promise<TrafficEntry[]> {
  await expect.poll(async () => (await readTraffic(keyId)).items.length, { timeout: 20_000 }).toBe(length)
  return (await readTraffic(keyId)).items
}

const messages = [{ role: 'user' as const, content: 'Hello' }]

test('each call with a key is in its traffic, the newest first, with what it used', async () => {
  const { openai, keyId } = await makeProgram()
  expect(await readTraffic(keyId)).toEqual({ items: [], next_cursor: null })
  const whole = await openai.chat.completions.create({ model: 'gpt-5-mini', messages })
  await untilTraffic(keyId, 1)
  const stream = await openai.chat.completions.create({ model: 'gpt-5', messages, stream: true })
  for await (const _ of stream);
  await untilTraffic(keyId, 2)
  upstream.script({ error: 'invalid_request' })
  await expect(openai.chat.completions.create({ model: 'gpt-5-nano', messages })).rejects.toThrow()
  const entries = await untilTraffic(keyId, 3)
  expect(entries.map(({ model, outcome, status }) => [model, outcome, status])).toEqual([
    ['gpt-5-nano', 'failed', 400],
    ['gpt-5', 'completed', 200],
    ['gpt-5-mini', 'completed', 200],
  ])
  expect(entries[2]).toMatchObject({
    endpoint: '/chat/completions',
    request_id: expect.stringMatching(/^[A-Za-z0-9_-]{8,64}$/),
    retries: 0,
    provider: 'openai',
    input_tokens: whole.usage?.prompt_tokens,
    output_tokens: whole.usage?.completion_tokens,
    estimated: false,
    cost_usd: expect.any(Number),
    first_token_ms: expect.any(Number),
    duration_ms: expect.any(Number),
  })
  expect(Date.parse(entries[2]?.at ?? '')).toBeGreaterThan(Date.now() - 600_000)
  expect(JSON.stringify(entries)).not.toMatch(/sk-test|5c20|alc_/)
})

test('traffic is read page by page, by its owner alone, and not with a key', async () => {
  const { openai, keyId } = await makeProgram()
  for (let n = 1; n <= 5; n += 1) await openai.embeddings.create({ model: `model-${n}`, input: 'a' })
  await untilTraffic(keyId, 5)
  const seen: string[] = []
  for (let query = '?limit=2'; query !== ''; ) {
    const { items, next_cursor } = await readTraffic(keyId, query)
    expect(items.length).toBeLessThanOrEqual(2)
    seen.push(...items.map(({ id }) => id))
    query = next_cursor === null ? '' : `?limit=2&cursor=${next_cursor}`
  }
  expect(seen).toEqual((await readTraffic(keyId)).items.map(({ id }) => id))
  const path = `/api/keys/${keyId}/traffic`
  const stranger = await signUp(server.url)
  expect((await stranger.get(path)).status).toBe(404)
  expect((await user.get(`${path}?limit=0`)).status).toBe(400)
  expect((await user.get(`${path}?cursor=nowhere`)).body.error?.issues).toEqual([
    expect.objectContaining({ path: 'cursor' }),
  ])
  await user.delete(`/api/keys/${keyId}`)
  expect((await readTraffic(keyId)).items).toHaveLength(5)
})
