import { setTimeout as sleep } from 'node:timers/promises'
import OpenAI from 'openai'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { CreatedKey, CreateKey } from '../../lib/contracts/keys'
import type { Talk } from '../support/chat'
import { followToEnd, openTalk, send, view } from '../support/chat'
import { Client } from '../support/client'
import { withinOneMinute } from '../support/minute'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'
import { until } from '../support/until'

let openai: OpenAIServer
let server: TestServer

beforeAll(async () => {
  openai = await startOpenAI()
  server = await startServer({ OPENAI_API_KEY: 'sk-test-budget-5b1f', OPENAI_BASE_URL: openai.baseUrl })
})
afterAll(async () => {
  await server.close()
  await openai.close()
})
beforeEach(() => openai.reset())

type Keyed = { talk: Talk; keyId: string; program: Client }

/** Somebody with a conversation, and a program that comes with a key of theirs. */
async function openWithKey(policy: Partial<CreateKey>, agent: Record<string, unknown> = {}): Promise<Keyed> {
  const talk = await openTalk(server.url, { model_name: 'gpt-5-mini', ...agent })
  const wish = { name: 'Program', scopes: ['chat', 'gateway'], ...policy }
  const made = await talk.user.post<CreatedKey>('/api/keys', wish)
  expect(made.status).toBe(201)
  return { talk, keyId: made.body.id, program: new Client(server.url, made.body.key) }
}

const say = ({ talk, program }: Keyed, text: string, id = newId(), parentId: string | null = null) =>
  program.post(`/api/conversations/${talk.conversationId}/messages`, { id, parent_id: parentId, text })

async function answerTo(keyed: Keyed, text: string) {
  const { body, status, text: said } = await say(keyed, text)
  if (status !== 202) throw new Error(said)
  const reply = body.reply as unknown as { events_url: string; message_id: string }
  const events = await followToEnd(keyed.talk.user, reply.events_url)
  return { events, messageId: reply.message_id }
}

/** What the list of keys says that the key has spent. */
async function spentOf({ talk, keyId }: Keyed): Promise<number> {
  const { body } = await talk.user.get<{ items: { id: string; spent_usd: number }[] }>('/api/keys')
  return body.items.find(({ id }) => id === keyId)?.spent_usd ?? Number.NaN
}

/** What the ledger has for the key. */
async function sumOf({ talk, keyId }: Keyed) {
  type Sums = { groups: { key: string; cost_usd: number; requests: number }[] }
  const { body } = await talk.user.get<Sums>('/api/openai/usage?group_by=key')
  return body.groups.find(({ key }) => key === keyId)
}

const costOf = async (keyed: Keyed) => (await sumOf(keyed))?.cost_usd
const requestsOf = async (keyed: Keyed) => (await sumOf(keyed))?.requests

const used = { code: 'budget_exceeded', facts: { code: 'insufficient_quota' } }

test('an answer that a key asks for is paid from its budget, to the last digit, and asked for within it', async () => {
  const keyed = await openWithKey({ budget_usd: 0.5 })
  openai.script({ usage: { input: 1000, output: 300 } })
  const { events } = await answerTo(keyed, 'Hello')
  expect(events.at(-1)).toMatchObject({ type: 'completed' })
  // A sixteenth of half a dollar.
  const asked = openai.journal.at(-1)?.body as { max_output_tokens: number }
  expect(asked.max_output_tokens).toBeGreaterThan(15_000)
  expect(asked.max_output_tokens).toBeLessThan(15_625)
  expect(await spentOf(keyed)).toBe(0.00085)
  expect(await costOf(keyed)).toBe(0.00085)
})

test('an answer that is stopped while the model thinks is paid for by the time that it took', async () => {
  const keyed = await openWithKey({ budget_usd: 1 }, { max_output_tokens: 5000 })
  openai.script({ firstByteDelayMs: 60_000 })
  const { body } = await say(keyed, 'Think.')
  await until(() => expect(openai.journal).toHaveLength(1))
  await sleep(2500)
  const { id } = body.reply as unknown as { id: string }
  expect((await keyed.program.delete(`/api/replies/${id}`)).status).toBe(202)
  await until(async () => expect(await requestsOf(keyed)).toBe(1))
  // gpt-5-mini writes for $2 a million; 150 tokens a second.
  const cost = (await costOf(keyed)) ?? 0
  expect(cost).toBeGreaterThanOrEqual((2 * 150 * 2) / 1e6)
  expect(cost).toBeLessThanOrEqual((5100 * 2) / 1e6)
})

test('an answer that the model server refuses is not taken for one that it has written', async () => {
  const keyed = await openWithKey({ budget_usd: 1 }, { max_output_tokens: 5000 })
  openai.script({ error: 'insufficient_quota', firstByteDelayMs: 2500 })
  const { events } = await answerTo(keyed, 'Think.')
  expect(events.at(-1)).toMatchObject({ type: 'failed' })
  await until(async () => expect(await requestsOf(keyed)).toBe(1))
  expect(await costOf(keyed)).toBeLessThan((100 * 0.25) / 1e6)
})

test('a key whose budget is used up asks for nothing more, by no call, and nothing is stored of it', async () => {
  const keyed = await openWithKey({ budget_usd: 0.01, budget_period: 'day' }, { max_output_tokens: 2000 })
  const { talk, program } = keyed
  openai.script({ text: 'Half an', end: 'incomplete', usage: { input: 4, output: 5000 } })
  const id = newId()
  const first = await say(keyed, 'Hello', id)
  const reply = first.body.reply as unknown as { events_url: string; message_id: string }
  await followToEnd(talk.user, reply.events_url)
  const before = await view(talk)
  const asked = openai.journal.length
  for (const answer of [
    await say(keyed, 'More', newId(), reply.message_id),
    await program.post(`/api/messages/${reply.message_id}/regenerate`, { id: newId() }),
    await program.post(`/api/messages/${reply.message_id}/continue`, { id: newId() }),
    await program.post(`/api/messages/${id}/edit`, { id: newId(), text: 'Hi' }),
    await program.post('/api/chat', { message: 'Hello' }),
    await program.post(`/api/chat/agents/${talk.agentId}`, { message: 'Hello' }),
  ]) {
    expect(answer.status).toBe(402)
    expect(answer.body.error).toMatchObject(used)
  }
  expect(await view(talk)).toEqual(before)
  const { body } = await talk.user.get<{ items: unknown[] }>('/api/conversations')
  expect(body.items).toHaveLength(1)
  expect(openai.journal).toHaveLength(asked)
  // What was asked for before is still answered, and the owner may go on without the key.
  const again = await say(keyed, 'Hello', id)
  expect({ status: again.status, reply: again.body.reply }).toMatchObject({ status: 202, reply })
  const own = await send(talk, 'More', reply.message_id)
  expect((await followToEnd(talk.user, own.reply.events_url)).at(-1)).toMatchObject({ type: 'completed' })
})

test('a budget that is given later counts what was spent before, and says so at once', async () => {
  const keyed = await openWithKey({})
  openai.script({ usage: { input: 1000, output: 300 } })
  const { messageId } = await answerTo(keyed, 'Hello')
  expect(await costOf(keyed)).toBe(0.00085)
  const change = (policy: Partial<CreateKey>) => keyed.talk.user.patch(`/api/keys/${keyed.keyId}`, policy)
  for (const policy of [{ budget_usd: 0.5 }, { budget_period: 'month' }, { budget_usd: 0.0001 }] as const) {
    expect((await change(policy)).body).toMatchObject({ ...policy, spent_usd: 0.00085 })
    expect(await spentOf(keyed)).toBe(0.00085)
  }
  expect((await change({ budget_usd: null })).body).toMatchObject({ spent_usd: null })
  await change({ budget_usd: 0.0001, budget_period: 'total' })
  expect((await say(keyed, 'More', newId(), messageId)).body).toMatchObject({ error: used })
})

test('a key asks as often in a minute as it may, in chat and through the gateway together', async () => {
  await withinOneMinute()
  const keyed = await openWithKey({ requests_per_minute: 2 })
  await answerTo(keyed, 'Hello')
  const chat = { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Hi' }] }
  expect((await keyed.program.post('/v1/chat/completions', chat)).status).toBe(200)
  const refused = await say(keyed, 'Once more')
  expect(refused.status).toBe(429)
  expect(refused.body.error).toMatchObject({ code: 'too_many_requests', facts: { type: 'requests' } })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0')
  expect((await keyed.program.post('/v1/chat/completions', chat)).status).toBe(429)
})

test('a key asks an agent only whose model it may use, or that it may use by name', async () => {
  const keyed = await openWithKey({ allowed_models: ['gpt-4.1*'] })
  const refused = await say(keyed, 'Hello')
  expect(refused.status).toBe(403)
  expect(refused.body.error).toMatchObject({ code: 'forbidden', facts: { code: 'model_not_allowed' } })
  expect((await view(keyed.talk)).messages).toEqual([])
  expect((await keyed.program.post('/api/chat', { message: 'Hi', model: 'gpt-5-mini' })).status).toBe(403)
  expect((await keyed.program.post('/api/chat', { message: 'Hi', model: 'gpt-4.1-mini' })).status).toBe(200)
  const change = { allowed_models: [`agent:${keyed.talk.agentId}`] }
  expect((await keyed.talk.user.patch(`/api/keys/${keyed.keyId}`, change)).status).toBe(200)
  const { messageId, events } = await answerTo(keyed, 'Hello')
  expect(events.at(-1)).toMatchObject({ type: 'completed' })
  const other = await keyed.program.post(`/api/messages/${messageId}/regenerate`, {
    id: newId(),
    model: 'gpt-5',
  })
  expect(other.status).toBe(403)
})

test('chats and streams of the gateway at once share one budget and never overspend it', async () => {
  const keyed = await openWithKey({ budget_usd: 0.05 })
  const { program, talk } = keyed
  // As dear as can be: every token that was asked for is used.
  openai.script(({ body }) => {
    const { max_output_tokens: inChat, max_completion_tokens: inGateway } = body as Record<string, number>
    return { text: 'All right', usage: { input: 10, output: inChat ?? inGateway } }
  })
  const chat = { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Hi' }], stream: true }
  const work = Array.from({ length: 60 }, async (_, index) => {
    if (index % 2 === 0) return (await program.post('/v1/chat/completions', chat)).status
    return (await program.post(`/api/chat/agents/${talk.agentId}`, { message: 'Hi' })).status
  })
  const statuses = await Promise.all(work)
  const asked = openai.journal.filter(({ method }) => method === 'POST').length
  expect(asked).toBeGreaterThan(12)
  expect(statuses.filter((status) => status === 200)).toHaveLength(asked)
  expect(statuses.every((status) => [200, 402, 429].includes(status))).toBe(true)
  await expect.poll(() => requestsOf(keyed)).toBe(asked)
  const spent = await spentOf(keyed)
  expect(spent).toBe(await costOf(keyed))
  expect(spent).toBeLessThanOrEqual(0.05)
  expect(spent).toBeGreaterThan(0.03)
})

test('a hundred streams of the official client at once on a key of a dollar spend no more; who is refused does not try again', async () => {
  const keyed = await openWithKey({ budget_usd: 1 })
  openai.script(({ body }) => ({
    text: 'All right',
    usage: { input: 20, output: Number((body as { max_completion_tokens?: number }).max_completion_tokens) },
  }))
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: String(keyed.program.token) })
  const messages = [{ role: 'user' as const, content: 'Hi' }]
  const ends = await Promise.allSettled(
    Array.from({ length: 100 }, async () => {
      for await (const _ of await client.chat.completions.create({ model: 'gpt-5', messages, stream: true }));
    }),
  )
  const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
  const asked = openai.journal.filter(({ method }) => method === 'POST').length
  expect(asked).toBe(100 - refused.length)
  expect(asked).toBeGreaterThan(40)
  for (const error of refused) {
    expect(error).toBeInstanceOf(OpenAI.RateLimitError)
    expect(error).toMatchObject({ status: 429, type: 'insufficient_quota', code: 'insufficient_quota' })
  }
  await expect.poll(() => requestsOf(keyed)).toBe(asked)
  const spent = await spentOf(keyed)
  expect(spent).toBe(await costOf(keyed))
  expect(spent).toBeGreaterThan(0.5)
  expect(spent).toBeLessThanOrEqual(1)
})
