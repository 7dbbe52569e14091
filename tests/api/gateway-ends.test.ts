import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type GatewayWorld, startGateway } from '../support/gateway'

/* How answers end that do not end well: the caller goes, the model server is slow, falls silent or goes. */

let world: GatewayWorld
let openai: OpenAI & { key: string; keyId: string }
const messages = [{ role: 'user' as const, content: 'Hello' }]
const words = Array.from({ length: 40 }, (_, n) => `word ${n} `)

beforeAll(async () => {
  world = await startGateway({ PROVIDER_TIMEOUTS: 'connect=5s,first=4s,idle=4s,total=10s' })
})
beforeEach(async () => {
  world.upstream.reset()
  openai = await world.sdk()
})
afterAll(() => world.close())

async function readAll(path: string, body: object): Promise<{ text: string; isCut: boolean }> {
  const answer = await world.post(path, body, openai.key)
  let text = ''
  try {
    const decoder = new TextDecoder()
    for await (const chunk of answer.body as ReadableStream<Uint8Array>)
      text += decoder.decode(chunk, { stream: true })
    return { text, isCut: false }
  } catch {
    return { text, isCut: true }
  }
}

async function lastEntry(): Promise<Record<string, unknown>> {
  const read = async () =>
    (
      (await world.admin.get(`/api/keys/${openai.keyId}/traffic`)).body as never as {
        items: Record<string, unknown>[]
      }
    ).items
  await expect.poll(async () => (await read()).length, { timeout: 10_000 }).toBe(1)
  return (await read())[0] ?? {}
}

describe('a model server that is too slow', () => {
  test('it does not begin: 504 with which wait was too long', async () => {
    world.upstream.script({ firstByteDelayMs: 20_000 })
    const failed = await openai.chat.completions
      .create({ model: 'gpt-5-mini', messages })
      .catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(OpenAI.InternalServerError)
    expect(failed).toMatchObject({ status: 504, code: 'first_byte_timeout', type: 'server_error' })
    expect(world.upstream.journal).toHaveLength(1)
    const entry = await lastEntry()
    expect(entry).toMatchObject({ outcome: 'failed', status: null, estimated: true })
    expect(entry.input_tokens).toBeGreaterThan(0)
  })

  test.each([
    ['falls silent', { end: 'stall' as const, after: 3 }, 'idle_timeout'],
    ['takes too long in all', { delayMs: 600 }, 'total_timeout'],
  ])('it %s in mid-stream: the stream says so as its last event', async (_, script, code) => {
    world.upstream.script({ text: words, ...script })
    const stream = await openai.chat.completions.create({ model: 'gpt-5-mini', messages, stream: true })
    let seen = 0
    const failed = await (async () => {
      for await (const _chunk of stream) seen += 1
      return null
    })().catch((error: unknown) => error)
    expect(seen).toBeGreaterThan(2)
    expect(failed).toBeInstanceOf(OpenAI.APIError)
    expect(failed).toMatchObject({ code })
    expect(await lastEntry()).toMatchObject({ outcome: 'failed', estimated: true })
  })

  test('responses: the last event is an error with the next number', async () => {
    world.upstream.script({ text: words, end: 'stall', after: 3 })
    const { text, isCut } = await readAll('/responses', { model: 'gpt-5-mini', input: 'Hello', stream: true })
    expect(isCut).toBe(false)
    const events = text
      .split('\n\n')
      .filter(Boolean)
      .map((event) => JSON.parse(event.replace(/^event: .*\ndata: /, '')))
    expect(events.at(-1)).toMatchObject({ type: 'error', error: { code: 'idle_timeout' } })
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index))
  })
})

describe('a model server that goes', () => {
  test('between two events: the reader is told in a last one', async () => {
    world.upstream.script({ text: words, end: 'cut_before_end', after: 3, close: 'abrupt' })
    const told = await readAll('/chat/completions', { model: 'gpt-5-mini', messages, stream: true })
    expect(told.isCut).toBe(false)
    expect(told.text).toMatch(
      /data: \{"error":\{"message":"[^"]+","type":"server_error","param":null,"code":"provider_failed"\}\}\n\n$/,
    )
    expect(told.text).not.toContain('[DONE]')
  })
})

describe('a caller who goes', () => {
  test('in mid-stream: upstream is closed, and what came is written down', async () => {
    world.upstream.script({ text: words, delayMs: 250 })
    const gone = new AbortController()
    const stream = await openai.chat.completions.create(
      { model: 'gpt-5-mini', messages, stream: true },
      { signal: gone.signal },
    )
    let seen = 0
    for await (const _ of stream) if (++seen === 5) break
    gone.abort()
    await expect
      .poll(() => world.upstream.journal[0]?.closedByClientAt, { timeout: 10_000 })
      .toBeGreaterThan(0)
    const entry = await lastEntry()
    expect(entry).toMatchObject({ outcome: 'stopped', estimated: true })
    expect(entry.output_tokens).toBeGreaterThan(0)
    expect(entry.input_tokens).toBeGreaterThan(0)
  })

  test('before the answer: the same', async () => {
    world.upstream.script({ firstByteDelayMs: 3500 })
    const gone = new AbortController()
    const call = openai.chat.completions.create({ model: 'gpt-5-mini', messages }, { signal: gone.signal })
    await expect.poll(() => world.upstream.journal.length).toBe(1)
    gone.abort()
    await expect(call).rejects.toBeInstanceOf(OpenAI.APIUserAbortError)
    await expect
      .poll(() => world.upstream.journal[0]?.closedByClientAt, { timeout: 10_000 })
      .toBeGreaterThan(0)
    expect(await lastEntry()).toMatchObject({ outcome: 'stopped', status: null })
  })

  test('what was set aside for it comes back', async () => {
    const budgeted = await world.sdk({ budget_usd: 0.01 })
    world.upstream.script({ text: words, delayMs: 250 })
    const gone = new AbortController()
    const body = { model: 'gpt-5-mini', messages, stream: true as const, max_completion_tokens: 4000 }
    const stream = await budgeted.chat.completions.create(body, { signal: gone.signal })
    await expect(budgeted.chat.completions.create(body)).rejects.toMatchObject({ code: 'insufficient_quota' })
    for await (const _ of stream) break
    gone.abort()
    const again = async () => (await world.post('/chat/completions', body, budgeted.key)).status
    await expect.poll(again, { timeout: 10_000 }).toBe(200)
  })
})
