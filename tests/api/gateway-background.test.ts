import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AnthropicServer, startAnthropic } from '../support/anthropic'
import { Client, signUp } from '../support/client'
import { createScratchDatabase } from '../support/database'
import { type GatewayWorld, startGateway } from '../support/gateway'
import { makeKey } from '../support/keys'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { readAllData } from '../support/plain-events'
import { readEvents, readLedger, refusalOf, type StreamEvent } from '../support/responses'
import { startServer } from '../support/server'

/*
 * Responses in the background where whoever is asked has only chats: AL-Chat makes them itself, whoever listens. Each event
 * is committed before it is told, each can be asked for again, and what it used is written down once, however it ends.
 */

const chatKey = 'sk-test-background-of-chats-77aa'
const claudeKey = 'sk-ant-test-background-of-claude-33bb'
const input = 'Tell me of the sea'
const words = (count: number) => Array.from({ length: count }, (_, index) => `word${index} `)

let chats: OpenAIServer
let anthropic: AnthropicServer
let world: GatewayWorld

async function keepKeys(admin: Client): Promise<void> {
  const keys = [
    { credentialType: 'openai-compatible', baseUrl: chats.baseUrl, credentials: { api_key: chatKey } },
    { credentialType: 'anthropic', baseUrl: anthropic.baseUrl, credentials: { api_key: claudeKey } },
  ]
  for (const key of keys) {
    const kept = await admin.post('/api/credentials', { scope: 'global', ...key })
    expect(kept.status, kept.text).toBe(201)
  }
  const price = { input_usd: 0.25, cached_input_usd: null, output_usd: 2 }
  expect((await admin.put('/api/admin/prices', { model: 'priced', price })).status).toBe(204)
}

async function openWorld(): Promise<GatewayWorld> {
  const opened = await startGateway({ OPENAI_API_KEY: '' })
  await keepKeys(opened.admin)
  return opened
}

beforeAll(async () => {
  chats = await startOpenAI({ acceptKey: (given) => given === chatKey })
  anthropic = await startAnthropic()
  world = await openWorld()
})
beforeEach(() => {
  chats.reset()
  anthropic.reset()
})
afterAll(async () => {
  await world.close()
  await chats.close()
  await anthropic.close()
})

/** The two kinds of server, each with a way to have it say so many words. */
const servers = {
  'a server of chats': {
    model: 'llama',
    say: (count: number, delayMs: number) => chats.script({ text: words(count), delayMs }),
    asked: () => chats.journal,
  },
  Claude: {
    model: 'claude-sonnet-5-5',
    say: (count: number, delayMs: number) =>
      anthropic.script({ blocks: [{ type: 'text', text: words(count) }], delayMs }),
    asked: () => anthropic.journal,
  },
}

const begin = (openai: OpenAI, model = 'llama', more: object = {}) =>
  openai.responses.create({ model, input, background: true, stream: true, ...more })

const eventsAfter = async (openai: OpenAI, id: string, number: number) =>
  readEvents(await openai.responses.retrieve(id, { stream: true, starting_after: number }))

/** Reads a stream until its text has begun; gives what was told so far, and its name. */
async function readBeginning(stream: AsyncIterable<unknown>, deltas = 3) {
  const events: StreamEvent[] = []
  for await (const event of stream) {
    events.push(event as StreamEvent)
    if (events.filter(({ type }) => type === 'response.output_text.delta').length >= deltas) break
  }
  const { response } = events[0] as StreamEvent & { response: { id: string } }
  return { events, id: response.id }
}

const ended = (openai: OpenAI, id: string) =>
  expect
    .poll(async () => (await openai.responses.retrieve(id)).status, { timeout: 20_000 })
    .not.toMatch(/queued|in_progress/)

describe.each(Object.entries(servers))('%s', (_name, { model, say, asked }) => {
  test('is followed from every event on, while it is written and when it is over', async () => {
    const openai = await world.sdk()
    say(30, 15)
    const all: StreamEvent[] = []
    const early: Promise<StreamEvent[]>[] = []
    let id = ''
    for await (const event of await begin(openai, model)) {
      const known = event as unknown as StreamEvent & { response?: { id: string } }
      id ||= known.response?.id ?? ''
      all.push(known)
      if (all.length % 9 === 1) early.push(eventsAfter(openai, id, known.sequence_number))
    }
    expect(all.map(({ sequence_number }) => sequence_number)).toEqual(all.map((_, index) => index))
    expect(all.slice(0, 3).map(({ type }) => type)).toEqual([
      'response.created',
      'response.queued',
      'response.in_progress',
    ])
    for (const [index, events] of (await Promise.all(early)).entries())
      expect(events).toEqual(all.slice(index * 9 + 1))
    for (let number = 0; number <= all.length + 1; number++)
      expect(await eventsAfter(openai, id, number), `after ${number}`).toEqual(all.slice(number + 1))
    expect(await readEvents(await openai.responses.retrieve(id, { stream: true }))).toEqual(all)
    const last = all.at(-1) as StreamEvent & { response: { output: unknown[]; usage: object } }
    expect(last.type).toBe('response.completed')
    const { output_text: text, ...found } = await openai.responses.retrieve(id)
    expect(found).toMatchObject(last.response)
    expect(text).toBe(words(30).join(''))
    expect(asked()).toHaveLength(1)
    expect(await readLedger(world, openai.keyId, 1)).toMatchObject([
      { outcome: 'completed', estimated: false, endpoint: '/responses' },
    ])
  })

  test('is told of at once, goes on though nobody listens, and is found whole', async () => {
    const openai = await world.sdk()
    say(20, 20)
    const made = await openai.responses.create({ model, input, background: true })
    expect(made).toMatchObject({ status: 'queued', background: true, output: [] })
    expect(
      await refusalOf(openai.responses.create({ model, input, previous_response_id: made.id })),
    ).toMatchObject({ status: 400, param: 'previous_response_id' })
    await ended(openai, made.id)
    expect((await openai.responses.retrieve(made.id)).output_text).toBe(words(20).join(''))
    expect((await openai.responses.inputItems.list(made.id)).data).toMatchObject([{ role: 'user' }])
    const next = await openai.responses.create({ model, input: 'And?', previous_response_id: made.id })
    expect(next.status).toBe('completed')
    expect(JSON.stringify(asked().at(-1)?.body)).toContain('word19')
    expect(await refusalOf(openai.responses.retrieve(made.id, { stream: true }))).toMatchObject({
      status: 400,
      param: 'stream',
    })
    expect(await readLedger(world, openai.keyId, 2)).toHaveLength(2)
  })

  test('is cancelled, again too: its server is left, what it said is kept, and it is written down once', async () => {
    const openai = await world.sdk()
    say(500, 20)
    const { id } = await readBeginning(await begin(openai, model))
    const following = eventsAfter(openai, id, 0)
    const cancelled = await openai.responses.cancel(id)
    expect(cancelled.status).toBe('cancelled')
    expect(JSON.stringify(cancelled.output)).toContain('word2')
    expect((await openai.responses.cancel(id)).output).toEqual(cancelled.output)
    expect((await openai.responses.retrieve(id)).output).toEqual(cancelled.output)
    const told = await following
    expect(told.map(({ sequence_number }) => sequence_number)).toEqual(told.map((_, index) => index + 1))
    await expect.poll(() => asked().at(-1)?.closedByClientAt).toBeGreaterThan(0)
    expect(await readLedger(world, openai.keyId, 1)).toMatchObject([{ outcome: 'stopped' }])
  })

  test('is ended before it is deleted', async () => {
    const openai = await world.sdk()
    say(500, 20)
    const { id } = await readBeginning(await begin(openai, model))
    await openai.responses.delete(id)
    await expect.poll(() => asked().at(-1)?.closedByClientAt).toBeGreaterThan(0)
    expect(await refusalOf(openai.responses.retrieve(id))).toMatchObject({ status: 404 })
    expect(await readLedger(world, openai.keyId, 1)).toMatchObject([{ outcome: 'stopped' }])
  })
})

test('what its server fails with is told in the stream and kept, with what had come', async () => {
  const openai = await world.sdk()
  chats.script({ error: { status: 400, message: 'No such sampler.', code: 'bad_sampler' } })
  // The official client throws at the first of these.
  const fail = async () =>
    (await readAllData(
      await world.post('/responses', { model: 'llama', input, background: true, stream: true }, openai.key),
    )) as StreamEvent[]
  const refused = await fail()
  expect(refused.map(({ type }) => type)).toEqual([
    'response.created',
    'response.queued',
    'error',
    'response.failed',
  ])
  expect(refused.map(({ sequence_number }) => sequence_number)).toEqual([0, 1, 2, 3])
  chats.script({ text: words(20), end: 'cut_before_end', after: 9 })
  const cut = await fail()
  const last = cut.at(-1) as StreamEvent & { response: { id: string; output: unknown } }
  expect(last.type).toBe('response.failed')
  expect(JSON.stringify(last.response.output)).toContain('word8')
  const found = await openai.responses.retrieve(last.response.id)
  expect(found).toMatchObject({ status: 'failed', error: { code: expect.any(String) } })
  expect(JSON.stringify(found.output)).toContain('word8')
  const rows = await readLedger(world, openai.keyId, 2)
  expect(rows.map(({ outcome }) => outcome)).toEqual(['failed', 'failed'])
})

test('the demo model answers in the background, too', async () => {
  const alone = await startGateway({ OPENAI_API_KEY: '' })
  const openai = await alone.sdk()
  const events = await readEvents(await begin(openai, 'gpt-5-mini'))
  expect(events.at(-1)?.type).toBe('response.completed')
  const { response } = events[0] as StreamEvent & { response: { id: string } }
  expect(await eventsAfter(openai, response.id, 4)).toEqual(events.slice(5))
  await alone.close()
})

test('it holds what was set aside for it until its end, and who has no more is refused at once', async () => {
  const openai = await world.sdk({ budget_usd: 0.004 })
  const model = 'priced'
  chats.script({ text: words(60), delayMs: 20, usage: { input: 100, output: 100 } })
  const ask = () => openai.responses.create({ model, input, background: true, max_output_tokens: 1500 })
  const made = await ask()
  const asked = chats.journal.length
  expect(await refusalOf(ask())).toMatchObject({ status: 429, code: 'insufficient_quota' })
  expect(chats.journal.length).toBeLessThanOrEqual(Math.max(1, asked))
  await ended(openai, made.id)
  expect(await readLedger(world, openai.keyId, 1)).toMatchObject([{ input_tokens: 100, output_tokens: 100 }])
  expect((await ask()).status).toBe('queued')
  await readLedger(world, openai.keyId, 2)
})

test('nobody else finds it, follows it, ends it or deletes it', async () => {
  const openai = await world.sdk()
  const { key } = await makeKey(await signUp(world.server.url, 'stranger'), { scopes: ['gateway'] })
  const other = new OpenAI({ baseURL: `${world.server.url}/v1`, apiKey: key, maxRetries: 0 })
  chats.script({ text: words(100), delayMs: 20 })
  const { id } = await readBeginning(await begin(openai))
  const tries = [
    () => other.responses.retrieve(id),
    () => other.responses.retrieve(id, { stream: true }),
    () => other.responses.cancel(id),
    () => other.responses.delete(id),
    () => other.responses.inputItems.list(id),
  ]
  for (const attempt of tries) expect(await refusalOf(attempt())).toMatchObject({ status: 404 })
  await ended(openai, id)
  expect((await openai.responses.retrieve(id)).status).toBe('completed')
})

test('what cannot be is refused with what is wrong', async () => {
  const openai = await world.sdk()
  expect(
    await refusalOf(openai.responses.create({ model: 'llama', input, background: true, store: false })),
  ).toMatchObject({ status: 400, param: 'background' })
  const events = await readEvents(await begin(openai))
  const { response } = events[0] as StreamEvent & { response: { id: string } }
  for (const number of ['-1', 'x', '1.5', '99999999999'])
    expect(
      await refusalOf(openai.get(`/responses/${response.id}?stream=true&starting_after=${number}`)),
    ).toMatchObject({ status: 400, param: 'starting_after' })
  expect(chats.journal).toHaveLength(1)
})

test('an Idempotency-Key makes one response, however often it is sent', async () => {
  const openai = await world.sdk()
  chats.script({ text: words(5) })
  const ask = () =>
    openai.responses.create(
      { model: 'llama', input, background: true },
      { headers: { 'Idempotency-Key': 'background-once' } },
    )
  const made = await ask()
  expect((await ask()).id).toBe(made.id)
  await ended(openai, made.id)
  expect(chats.journal).toHaveLength(1)
})

test('a repeated call with its Idempotency-Key follows the same one, also after its reader has gone', async () => {
  const openai = await world.sdk()
  chats.script({ text: words(40), delayMs: 20 })
  const ask = () =>
    openai.responses.create(
      { model: 'llama', input, background: true, stream: true },
      { headers: { 'Idempotency-Key': 'background-stream' } },
    )
  const first = await readBeginning(await ask())
  const again = await readEvents(await ask())
  expect(again.slice(0, first.events.length)).toEqual(first.events)
  expect(again.at(-1)?.type).toBe('response.completed')
  expect(await readEvents(await ask())).toEqual(again)
  expect(chats.journal).toHaveLength(1)
  await readLedger(world, openai.keyId, 1)
})

describe('whatever letters are in it', () => {
  test.each([
    ['what no text of the database can hold', '\u0000 and \ud800'],
    ['line ends that are none in JSON', 'a\u2028b\u2029c'],
  ])('%s: it is made, found, followed, gone on with and deleted', async (_what, odd) => {
    const openai = await world.sdk()
    for (const background of [true, false]) {
      chats.script({ text: ['One ', odd, ' two'] })
      const asked = {
        model: 'llama',
        input: odd,
        instructions: odd,
        metadata: { odd },
        background,
        stream: true,
      }
      const answer = await world.post('/responses', asked, openai.key)
      const events = (await readAllData(answer)) as StreamEvent[]
      expect(events.at(-1)?.type).toBe('response.completed')
      expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index))
      const { response } = events[0] as StreamEvent & { response: { id: string } }
      if (background) expect(await eventsAfter(openai, response.id, 3)).toEqual(events.slice(4))
      const found = await openai.responses.retrieve(response.id)
      expect(found.instructions).toBe(odd)
      expect((await openai.responses.inputItems.list(response.id)).data).toHaveLength(1)
      const next = { model: 'llama', input: 'And?', previous_response_id: response.id }
      expect((await openai.responses.create(next)).status).toBe('completed')
      await openai.responses.delete(response.id)
    }
    expect(
      await refusalOf(openai.responses.create({ model: 'llama', input, previous_response_id: odd })),
    ).toMatchObject({ status: 400 })
  })
})

test('where another model is asked and fails, too, it is paid for once, and what was set aside comes back', async () => {
  const openai = await world.sdk({ budget_usd: 0.004, fallback_models: ['priced-too'] })
  const price = { input_usd: 0.25, cached_input_usd: null, output_usd: 2 }
  expect((await world.admin.put('/api/admin/prices', { model: 'priced-too', price })).status).toBe(204)
  chats.script({ match: { model: 'priced' }, error: 'server_error' }, { times: 3 })
  chats.script({ match: { model: 'priced-too' }, error: 'server_error' }, { times: 3 })
  const more = { max_output_tokens: 1500 }
  const made = await openai.responses.create({ model: 'priced', input, background: true, ...more })
  await ended(openai, made.id)
  expect((await openai.responses.retrieve(made.id)).status).toBe('failed')
  expect(await readLedger(world, openai.keyId, 1)).toMatchObject([{ outcome: 'failed', model: 'priced-too' }])
  chats.reset()
  const again = await openai.responses.create({ model: 'priced', input, background: true, ...more })
  await ended(openai, again.id)
  expect((await openai.responses.retrieve(again.id)).status).toBe('completed')
  await readLedger(world, openai.keyId, 2)
})

test('what it has said is paid for, though it is deleted before its end', async () => {
  const openai = await world.sdk()
  chats.script({ text: words(500), delayMs: 10 })
  const { id } = await readBeginning(await begin(openai), 30)
  await openai.responses.delete(id)
  const [row] = await readLedger(world, openai.keyId, 1)
  expect(row).toMatchObject({ outcome: 'stopped', estimated: true })
  expect(row?.output_tokens).toBeGreaterThanOrEqual(30)
})

test('a user has so many under way and no more', async () => {
  const own = await startGateway({ OPENAI_API_KEY: '', DRAIN_TIMEOUT: '1s' })
  await keepKeys(own.admin)
  const openai = await own.sdk()
  chats.script({ firstByteDelayMs: 60_000 }, { times: 100 })
  const ask = () => openai.responses.create({ model: 'llama', input, background: true })
  const made = await Promise.all(Array.from({ length: 100 }, ask))
  expect(await refusalOf(ask())).toMatchObject({ status: 429 })
  await openai.responses.cancel(String(made[0]?.id))
  expect((await ask()).status).toBe('queued')
  await own.close()
})

describe('when its server ends', () => {
  async function leave(end: (own: GatewayWorld) => Promise<unknown>, policy: object = {}) {
    const own = await startGateway({ OPENAI_API_KEY: '', DRAIN_TIMEOUT: '1s' })
    await keepKeys(own.admin)
    const openai = await own.sdk(policy)
    chats.script({ text: words(1000), delayMs: 20 })
    const stream = await begin(openai, 'priced', { max_output_tokens: 1500 })
    const { events, id } = await readBeginning(stream, 20)
    await end(own)
    const server = await own.server.restart()
    const again = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: openai.key, maxRetries: 0 })
    const admin = Object.assign(new Client(server.url, own.admin.token), { userId: own.admin.userId })
    const ledger = (count: number) => readLedger({ admin }, openai.keyId, count)
    const close = () => Promise.all([server.close(), own.upstream.close()])
    return { events, id, openai: again, ledger, close }
  }

  test.each([
    ['by a crash', (own: GatewayWorld) => own.server.kill(), 'interrupted'],
    ['as it was told', (own: GatewayWorld) => own.server.stop(), 'failed'],
  ] as const)(
    '%s, all that was told stays, it has failed, and is paid for once',
    async (_how, end, outcome) => {
      const { events, id, openai, ledger, close } = await leave(end, { budget_usd: 0.004 })
      const found = await openai.responses.retrieve(id)
      expect(found).toMatchObject({ status: 'failed', error: { code: 'server_error' } })
      const told = await readEvents(await openai.responses.retrieve(id, { stream: true }))
      expect(told.slice(0, events.length)).toEqual(events)
      expect(told.map(({ sequence_number }) => sequence_number)).toEqual(told.map((_, index) => index))
      expect(told.filter(({ type }) => /completed|failed|incomplete/.test(type)).at(-1)?.type).toBe(
        'response.failed',
      )
      const said = told.flatMap(({ type, delta }) => (type === 'response.output_text.delta' ? [delta] : []))
      expect(found.output_text).toBe(said.join(''))
      expect(await ledger(1)).toMatchObject([{ outcome, estimated: true }])
      // What was set aside has come back.
      chats.script({ text: 'Yes.', usage: { input: 10, output: 2 } })
      expect((await openai.responses.create({ model: 'priced', input, max_output_tokens: 900 })).status).toBe(
        'completed',
      )
      await ledger(2)
      await close()
    },
  )
})

test('another server tells it as it is made, ends it, and ends what a crashed one has left', async () => {
  const database = await createScratchDatabase()
  const secret = 'a secret that two servers share in this test'
  const shared = {
    OPENAI_API_KEY: '',
    DATABASE_URL: database.url,
    VAULT_KEY: secret,
    AUTH_SECRET: `${secret} too`,
  }
  const one = await startGateway(shared)
  await keepKeys(one.admin)
  const other = await startServer({ ...shared, RATE_LIMITS: 'off' })
  const openai = await one.sdk()
  const there = new OpenAI({ baseURL: `${other.url}/v1`, apiKey: openai.key, maxRetries: 0 })
  chats.script({ text: words(60), delayMs: 25 })
  const { id, events } = await readBeginning(await begin(openai))
  const [told, here] = await Promise.all([eventsAfter(there, id, 0), eventsAfter(openai, id, 0)])
  expect(told).toEqual(here)
  expect([events[0], ...told].slice(0, events.length)).toEqual(events)
  expect(told.at(-1)?.type).toBe('response.completed')

  chats.script({ text: words(1000), delayMs: 20 }, { times: 2 })
  const cancelled = await readBeginning(await begin(openai))
  expect((await there.responses.cancel(cancelled.id)).status).toBe('cancelled')
  expect((await openai.responses.retrieve(cancelled.id)).status).toBe('cancelled')

  const left = await readBeginning(await begin(openai))
  await one.server.kill()
  expect((await there.responses.retrieve(left.id)).status).toBe('in_progress')
  // After its lease of 30 s.
  await expect
    .poll(async () => (await there.responses.retrieve(left.id)).status, { timeout: 60_000, interval: 1000 })
    .toBe('failed')
  const kept = (await eventsAfter(there, left.id, 0)).slice(0, left.events.length - 1)
  expect(kept).toEqual(left.events.slice(1))
  const admin = Object.assign(new Client(other.url, one.admin.token), { userId: one.admin.userId })
  const rows = await readLedger({ admin }, openai.keyId, 3)
  expect(rows.map(({ outcome }) => outcome)).toEqual(['interrupted', 'stopped', 'completed'])
  await Promise.all([one.close(), other.close()])
  await database.drop()
}, 120_000)
