import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AnthropicServer, startAnthropic } from '../support/anthropic'
import { type GatewayWorld, startGateway } from '../support/gateway'
import { type RawServer, startHttp } from '../support/raw-server'
import { readLedger } from '../support/responses'

/* What is written down where a server tells its use early, far from the end, or not at all. */

type Sdk = Awaited<ReturnType<GatewayWorld['sdk']>>

const claude = 'claude-sonnet-5-5'
const messages = [{ role: 'user' as const, content: 'Hello' }]
const pieces = Array.from({ length: 200 }, (_, n) => `word${n} `)

let raw: RawServer
let answer: (response: ServerResponse) => void
let anthropic: AnthropicServer
let world: GatewayWorld
let openai: Sdk

beforeAll(async () => {
  raw = await startHttp((_, response) => answer(response))
  anthropic = await startAnthropic()
  world = await startGateway({
    OPENAI_BASE_URL: raw.baseUrl,
    PROVIDER_TIMEOUTS: 'connect=5s,first=3s,idle=20s,total=60s',
  })
  const kept = await world.admin.post('/api/credentials', {
    scope: 'global',
    credentialType: 'anthropic',
    baseUrl: anthropic.baseUrl,
    credentials: { api_key: 'sk-ant-test-metered-33bb' },
  })
  expect(kept.status, kept.text).toBe(201)
})
beforeEach(async () => {
  anthropic.reset()
  openai = await world.sdk()
})
afterAll(async () => {
  await world.close()
  await anthropic.close()
  await raw.close()
})

const lastEntry = async () => (await readLedger(world, openai.keyId, 1))[0]

/** Reads so many events, and goes. */
async function leaveAfter(count: number, open: (signal: AbortSignal) => PromiseLike<AsyncIterable<unknown>>) {
  const gone = new AbortController()
  let seen = 0
  for await (const _ of await open(gone.signal)) if (++seen === count) break
  gone.abort()
}

describe('Claude tells a use at its beginning', () => {
  const script = () =>
    anthropic.script({
      blocks: [{ type: 'text', text: pieces }],
      delayMs: 20,
      usage: { input: 30, cacheRead: 1000, output: 200 },
    })

  test('whoever leaves a chat pays for what was said', async () => {
    script()
    await leaveAfter(40, (signal) =>
      openai.chat.completions.create({ model: claude, messages, stream: true }, { signal }),
    )
    const entry = await lastEntry()
    expect(entry).toMatchObject({
      outcome: 'stopped',
      estimated: true,
      input_tokens: 1030,
      cached_tokens: 1000,
    })
    expect(entry?.output_tokens).toBeGreaterThanOrEqual(38)
  })

  test('and a response', async () => {
    script()
    await leaveAfter(40, (signal) =>
      openai.responses.create({ model: claude, input: 'Hello', stream: true }, { signal }),
    )
    const entry = await lastEntry()
    expect(entry).toMatchObject({ outcome: 'stopped', estimated: true, input_tokens: 1030 })
    expect(entry?.output_tokens).toBeGreaterThanOrEqual(30)
  })

  test('and whoever cancels one in the background', async () => {
    script()
    const stream = await openai.responses.create({
      model: claude,
      input: 'Hello',
      background: true,
      stream: true,
    })
    let [seen, id] = [0, '']
    for await (const event of stream) {
      if ('response' in event) id = event.response.id
      if (++seen === 40) break
    }
    await openai.responses.cancel(id)
    const entry = await lastEntry()
    expect(entry).toMatchObject({
      outcome: 'stopped',
      estimated: true,
      input_tokens: 1030,
      cached_tokens: 1000,
    })
    expect(entry?.output_tokens).toBeGreaterThanOrEqual(30)
  })

  test('what is told at the end holds', async () => {
    script()
    for await (const _ of await openai.chat.completions.create({ model: claude, messages, stream: true }));
    expect(await lastEntry()).toMatchObject({ outcome: 'completed', estimated: false, output_tokens: 200 })
  })
})

describe('a whole answer', () => {
  const respond = (body: object) => {
    answer = (response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(body))
    }
  }

  test('that tells much after its use is paid for by it', async () => {
    const usage = { input_tokens: 1000, output_tokens: 500, total_tokens: 1500 }
    const metadata = { long: 'x'.repeat(300_000) }
    respond({ id: 'resp_0123456789', object: 'response', status: 'completed', output: [], usage, metadata })
    const said = await world.post(
      '/responses',
      { model: 'gpt-5-mini', input: 'Hi', store: false },
      openai.key,
    )
    expect(said.status).toBe(200)
    expect(Number(said.headers.get('x-al-cost-usd'))).toBeGreaterThan(0)
    expect(await lastEntry()).toMatchObject({ input_tokens: 1000, output_tokens: 500, estimated: false })
  })

  test('that tells no use is paid for by its length', async () => {
    const message = { role: 'assistant', content: 'x'.repeat(100_000) }
    respond({ object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] })
    await openai.chat.completions.create({ model: 'gpt-5-mini', messages })
    const entry = await lastEntry()
    expect(entry).toMatchObject({ outcome: 'completed', estimated: true })
    expect(entry?.output_tokens).toBeGreaterThan(24_000)
    expect(entry?.output_tokens).toBeLessThan(26_000)
  })
})

test('a stream that ends its lines as Windows does, and tells no use, is counted', async () => {
  answer = (response) => {
    response.setHeader('content-type', 'text/event-stream')
    for (const content of pieces)
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\r\n\r\n`)
    response.end('data: [DONE]\r\n\r\n')
  }
  for await (const _ of await openai.chat.completions.create({
    model: 'gpt-5-mini',
    messages,
    stream: true,
  }));
  expect(await lastEntry()).toMatchObject({ outcome: 'completed', estimated: true, output_tokens: 201 })
})

test('a response in the background that was asked for and does not begin in time is paid for', async () => {
  anthropic.script({ firstByteDelayMs: 20_000 })
  await openai.responses.create({ model: claude, input: 'Hello', background: true })
  const entry = await lastEntry()
  expect(entry).toMatchObject({ outcome: 'failed', estimated: true, output_tokens: 0 })
  expect(entry?.input_tokens).toBeGreaterThan(0)
})
