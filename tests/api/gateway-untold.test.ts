import { setTimeout as sleep } from 'node:timers/promises'
import type OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Client } from '../support/client'
import { type GatewayWorld, startGateway } from '../support/gateway'
import { readLedger } from '../support/responses'
import { until } from '../support/until'

/*
 * What is paid for from a budget where whoever asked goes before the server has told its use: not less than the model
 * was told and may have written, though the call shows only part of it.
 */

type Sdk = Awaited<ReturnType<GatewayWorld['sdk']>>

const model = 'gpt-5-mini'
const counting = '/v1/responses/input_tokens'
/** What gpt-5-mini reads at most. */
const window = 400_000
const long = 'A long story of many words. '.repeat(2000)

let world: GatewayWorld
let openai: Sdk

beforeAll(async () => {
  world = await startGateway()
})
beforeEach(async () => {
  world.upstream.reset()
  openai = await world.sdk({ budget_usd: 5 })
})
afterAll(() => world.close())

const ledger = (count: number) => readLedger(world, openai.keyId, count)
const counts = () => world.upstream.journal.filter(({ path }) => path === counting)

/** A conversation of some 14,000 tokens that OpenAI keeps. */
async function beginConversation(): Promise<string> {
  world.upstream.script({ text: 'Yes. ', usage: { input: 14_000, output: 2 } })
  const { id } = await openai.responses.create({ model, input: long })
  return id
}

/** Asks for a stream of words that comes slowly, and goes when some are there. */
async function leave(
  open: (signal: AbortSignal) => PromiseLike<AsyncIterable<unknown>>,
  beforehand: () => PromiseLike<unknown> = async () => undefined,
): Promise<void> {
  world.upstream.script({ text: Array.from({ length: 500 }, () => 'word '), delayMs: 20 })
  const gone = new AbortController()
  let seen = 0
  for await (const _ of await open(gone.signal)) {
    if (++seen < 12) continue
    await beforehand()
    break
  }
  gone.abort()
}

const goOn = (previous_response_id: string, more: object = {}, beforehand?: () => PromiseLike<unknown>) =>
  leave(
    (signal) =>
      openai.responses.create(
        { model, input: 'And then?', previous_response_id, ...more, stream: true },
        { signal },
      ),
    beforehand,
  )

describe('a stream that goes on from what its server keeps, and is left', () => {
  test('is paid for with all that was said before', async () => {
    await goOn(await beginConversation())
    const [last] = await ledger(2)
    expect(last).toMatchObject({ outcome: 'stopped', estimated: true })
    expect(last?.input_tokens).toBeGreaterThan(14_000)
    expect(last?.input_tokens).toBeLessThan(15_000)
    const [count] = counts()
    expect(count?.body).toMatchObject({ model, input: 'And then?' })
    expect(count?.body).not.toHaveProperty('stream')
    expect(count?.body).not.toHaveProperty('max_output_tokens')
    expect(count?.headers.authorization).toBe(world.upstream.journal[0]?.headers.authorization)
  })

  test('again and again: the budget ends it, and what the model read was never more than was paid', async () => {
    const budget = 0.15
    openai = await world.sdk({ budget_usd: budget })
    const first = await beginConversation()
    let left = 0
    let refused: unknown = null
    while (refused === null && left < 30)
      await goOn(first, { max_output_tokens: 1000 }).then(
        () => left++,
        (error: unknown) => {
          refused = error
        },
      )
    expect(refused).toMatchObject({ status: 429, code: 'insufficient_quota' })
    const entries = await ledger(left + 1)
    const read = entries.reduce((sum, { input_tokens: tokens }) => sum + tokens, 0)
    expect(read).toBeGreaterThanOrEqual(14_000 * (left + 1))
    // gpt-5-mini: $0.25 a million of input tokens.
    expect((read / 1e6) * 0.25).toBeLessThanOrEqual(budget)
  })

  test('is paid for as dearly as it can be where what it went on from is gone', async () => {
    const first = await beginConversation()
    await goOn(first, {}, () => openai.responses.delete(first))
    const [last] = await ledger(2)
    expect(last).toMatchObject({ outcome: 'stopped', input_tokens: window })
  })

  test.each([
    ['is asked again where its server fails to count once', 1, (tokens: number) => tokens < 15_000],
    [
      'is paid for as dearly as it can be where its server does not count',
      9,
      (tokens: number) => tokens === window,
    ],
  ])('%s', async (_, times, isRight) => {
    const first = await beginConversation()
    world.upstream.script({ match: { path: counting }, error: 500 }, { times })
    await goOn(first)
    const [last] = await ledger(2)
    expect(isRight(last?.input_tokens ?? 0)).toBe(true)
    expect(counts().length).toBe(Math.min(3, times + 1))
  })

  test('is estimated by what it shows where there is no budget, and its server is asked nothing more', async () => {
    openai = await world.sdk()
    await goOn(await beginConversation())
    const [last] = await ledger(2)
    expect(last?.input_tokens).toBeLessThan(100)
    expect(counts()).toEqual([])
  })

  test('is not asked about where its use was told', async () => {
    const first = await beginConversation()
    world.upstream.script({ text: 'Yes.', usage: { input: 14_010, output: 1 } })
    const stream = await openai.responses.create({
      model,
      input: 'And then?',
      previous_response_id: first,
      stream: true,
    })
    for await (const _ of stream);
    const [last] = await ledger(2)
    expect(last).toMatchObject({ outcome: 'completed', estimated: false, input_tokens: 14_010 })
    expect(counts()).toEqual([])
  })
})

test('a response in the background that is cancelled is paid for with all that was said before', async () => {
  const first = await beginConversation()
  world.upstream.script({ text: Array.from({ length: 500 }, () => 'word '), delayMs: 20 })
  const { id } = await openai.responses.create({
    model,
    input: 'And then?',
    previous_response_id: first,
    background: true,
  })
  await openai.responses.cancel(id)
  const [last] = await ledger(2)
  expect(last).toMatchObject({ outcome: 'stopped', estimated: true })
  expect(last?.input_tokens).toBeGreaterThan(14_000)
  expect(last?.input_tokens).toBeLessThan(15_000)
})

test('one that is cancelled while it thinks is paid for by the time that it took', async () => {
  world.upstream.script({ items: [{ type: 'reasoning', summary: ['Hm. ', 'Well.'] }], delayMs: 60_000 })
  const { id } = await openai.responses.create({ model, input: 'Think.', background: true })
  await sleep(2500)
  await openai.responses.cancel(id)
  const [last] = await ledger(1)
  expect(last).toMatchObject({ outcome: 'stopped', estimated: true })
  expect(last?.output_tokens).toBeGreaterThanOrEqual(2 * 150)
})

describe('a file that a call names, of which its server knows how long it is,', () => {
  const upload = async () => {
    const file = new File([long], 'story.txt', { type: 'text/plain' })
    const { id } = await openai.files.create({ file, purpose: 'user_data' })
    return id
  }
  const paid = async () => {
    const [last] = await ledger(1)
    expect(last?.input_tokens).toBeGreaterThan(14_000)
    expect(last?.input_tokens).toBeLessThan(15_000)
  }

  test('is paid for in a response that is left', async () => {
    const content = [
      { type: 'input_file' as const, file_id: await upload() },
      { type: 'input_text' as const, text: 'What is it about?' },
    ]
    await leave((signal) =>
      openai.responses.create({ model, input: [{ role: 'user', content }], stream: true }, { signal }),
    )
    await paid()
  })

  test('and in a chat', async () => {
    const content = [
      { type: 'file' as const, file: { file_id: await upload() } },
      { type: 'text' as const, text: 'What is it about?' },
    ]
    await leave((signal) =>
      openai.chat.completions.create(
        { model, messages: [{ role: 'user', content }], stream: true },
        { signal },
      ),
    )
    await paid()
  })
})

test('tools that the server ran are paid for with what they found, and with what was read again', async () => {
  world.upstream.script({
    items: [
      { type: 'web_search', query: 'stories' },
      { type: 'web_search', query: 'longer stories' },
      { type: 'text', text: Array.from({ length: 500 }, () => 'word ') },
    ],
    delayMs: 20,
  })
  const gone = new AbortController()
  const stream = await openai.responses.create(
    { model, input: 'Search.', tools: [{ type: 'web_search' }], max_tool_calls: 5, stream: true },
    { signal: gone.signal },
  )
  for await (const event of stream) if (event.type === 'response.output_text.delta') break
  gone.abort()
  const [last] = await ledger(1)
  expect(last?.input_tokens).toBeGreaterThanOrEqual(3 * 16_000)
  expect(last?.input_tokens).toBeLessThan(3 * 16_000 + 3 * 2000)
})

test('a server that says nothing, and does not count either, is taken for one that was not there', async () => {
  const first = await beginConversation()
  world.upstream.script({ match: { path: counting }, error: 500 }, { times: 3 })
  world.upstream.script({ firstByteDelayMs: 60_000 })
  const gone = new AbortController()
  const asked = openai.responses.create(
    { model, input: 'And then?', previous_response_id: first },
    { signal: gone.signal },
  )
  const left = expect(asked).rejects.toThrow()
  await until(() => expect(world.upstream.journal.at(-1)?.body).toMatchObject({ input: 'And then?' }))
  gone.abort()
  await left
  const [last] = await ledger(2)
  expect(last?.outcome).toBe('stopped')
  expect(last?.input_tokens).toBeLessThan(100)
})

test('an item that a call names by its id alone is set aside as what it may be', async () => {
  openai = await world.sdk({ budget_usd: 0.01 })
  const id = 'msg_0123456789'
  const input = [{ id }] as unknown as OpenAI.Responses.ResponseInput
  await expect(openai.responses.create({ model, input })).rejects.toMatchObject({ status: 404 })
  world.upstream.script({ text: 'Yes.' })
  const { output } = await openai.responses.create({ model, input: 'Hi', max_output_tokens: 100 })
  const own = [{ id: output[0]?.id }] as unknown as OpenAI.Responses.ResponseInput
  await expect(openai.responses.create({ model, input: own, max_output_tokens: 100 })).rejects.toMatchObject({
    status: 429,
    code: 'insufficient_quota',
  })
})

describe('what nobody has seen of an answer', () => {
  test('is paid for by the time that it took where it comes in one piece, and never as more than was set aside', async () => {
    world.upstream.script({ firstByteDelayMs: 60_000 }, { times: 2 })
    for (const max_output_tokens of [100_000, 150]) {
      const gone = new AbortController()
      const asked = openai.responses.create(
        { model, input: 'Think.', max_output_tokens },
        { signal: gone.signal },
      )
      const left = expect(asked).rejects.toThrow()
      await sleep(2500)
      gone.abort()
      await left
    }
    const [bounded, free] = await ledger(2)
    expect(bounded).toMatchObject({ outcome: 'stopped', output_tokens: 150 })
    expect(free?.output_tokens).toBeGreaterThanOrEqual(2 * 150)
    expect(free?.output_tokens).toBeLessThan(60 * 150)
  })

  test('is paid for as well in a stream that thinks before it speaks', async () => {
    world.upstream.script({ items: [{ type: 'text', text: ['word ', 'word '] }], delayMs: 30_000 })
    const gone = new AbortController()
    const stream = await openai.responses.create(
      { model, input: 'Think.', stream: true },
      { signal: gone.signal },
    )
    const heard = stream[Symbol.asyncIterator]()
    await heard.next()
    await sleep(2500)
    gone.abort()
    const [last] = await ledger(1)
    expect(last?.output_tokens).toBeGreaterThanOrEqual(2 * 150)
  })

  test('pictures are paid for whether anybody waited for them or not', async () => {
    openai = await world.sdk({ requests_per_minute: 100 })
    world.upstream.script({ match: { path: '/v1/images' }, firstByteDelayMs: 60_000 })
    const gone = new AbortController()
    const asked = openai.images.generate(
      { model: 'gpt-image-1', prompt: 'A story', n: 2 },
      { signal: gone.signal },
    )
    const left = expect(asked).rejects.toThrow()
    await until(() => expect(world.upstream.journal.at(-1)?.path).toBe('/v1/images/generations'))
    gone.abort()
    await left
    const [last] = await ledger(1)
    expect(last).toMatchObject({ outcome: 'stopped', output_tokens: 2 * 6400 })
  })
})

test('a server that is told to stop counts before it goes', async () => {
  const first = await beginConversation()
  world.upstream.script({ match: { path: counting }, firstByteDelayMs: 1500 })
  await goOn(first)
  await until(() => expect(counts()).toHaveLength(1))
  await world.server.stop()
  expect(counts().at(-1)?.status).toBe(200)
  const again = await world.server.restart()
  try {
    const admin = Object.assign(new Client(again.url, world.admin.token), { userId: world.admin.userId })
    const [last] = await readLedger({ admin }, openai.keyId, 2)
    expect(last?.input_tokens).toBeGreaterThan(14_000)
    expect(last?.input_tokens).toBeLessThan(15_000)
  } finally {
    await again.stop()
  }
})
