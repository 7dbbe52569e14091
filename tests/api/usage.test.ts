import { parse } from 'csv-parse/sync'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { UsageSummary } from '../../lib/contracts/usage'
import { followToEnd, openTalk, send, type Talk } from '../support/chat'
import { type Client, signUp } from '../support/client'
import { makeKey, withKey } from '../support/keys'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'

const upstreamKey = 'sk-test-usage-upstream-3b92'

let upstream: OpenAIServer
let server: TestServer
let admin: Client

beforeAll(async () => {
  upstream = await startOpenAI({ acceptKey: (given) => given === upstreamKey })
  server = await startServer({ OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: upstreamKey })
  admin = await signUp(server.url, 'admin')
})
beforeEach(() => upstream.reset())
afterAll(async () => {
  await server.close()
  await upstream.close()
})

const read = async (client: Client, query = '') =>
  (await client.get<UsageSummary>(`/api/openai/usage${query}`)).body

/** Someone with a talk whose agent asks for this model. */
const talkTo = (model: string) => openTalk(server.url, { model_provider: 'openai', model_name: model })

async function say(talk: Talk, text: string): Promise<void> {
  await followToEnd(talk.user, (await send(talk, text)).reply.events_url)
}

/** The ledger is written after the last byte of a call. */
async function untilRequests(client: Client, count: number): Promise<UsageSummary> {
  for (;;) {
    const use = await read(client)
    if (use.totals.requests >= count) return use
    await new Promise((wake) => setTimeout(wake, 20))
  }
}

test('whatever way a call comes, it is one row: from a page, by a key in the portal, and through the gateway', async () => {
  const talk = await talkTo('gpt-5-mini')
  await say(talk, 'From a page')
  const key = await makeKey(talk.user, { scopes: ['chat', 'gateway'], name: 'Program' })
  const byKey = Object.assign(withKey(talk.user, key), { email: '', userId: '' })
  const opened = await byKey.post(`/api/agents/${talk.agentId}/conversations`, {})
  await say({ ...talk, user: byKey, conversationId: String(opened.body.conversation?.id) }, 'By a key')
  const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key.key, maxRetries: 0 })
  await openai.chat.completions.create({
    model: 'gpt-5-mini',
    messages: [{ role: 'user', content: 'Through' }],
  })
  const { totals } = await untilRequests(talk.user, 3)
  expect(totals).toMatchObject({ requests: 3, errors: 0, unpriced_requests: 0 })
  expect(totals.cost_usd).toBeGreaterThan(0)
  expect(totals.total_tokens).toBe(totals.input_tokens + totals.output_tokens)
  const byKeys = (await read(talk.user, '?group_by=key')).groups
  expect(byKeys.map(({ key: id, label, requests }) => [id, label, requests])).toEqual(
    expect.arrayContaining([
      [key.id, `Program ··${key.last4}`, 2],
      [null, null, 1],
    ]),
  )
  const byProject = (await read(talk.user, '?group_by=project')).groups
  expect(byProject.find(({ key: id }) => id === talk.projectId)).toMatchObject({
    label: 'Project',
    requests: 2,
  })
})

test('an admin’s price counts for the next call, and a model that nobody knows has none', async () => {
  const talk = await talkTo('gpt-unheard-of')
  await say(talk, 'One')
  expect((await read(talk.user)).totals).toMatchObject({ requests: 1, cost_usd: 0, unpriced_requests: 1 })
  const price = { input_usd: 1_000, cached_input_usd: null, output_usd: 1_000 }
  expect((await admin.put('/api/admin/prices', { model: 'gpt-unheard-of', price })).status).toBe(204)
  await say(talk, 'Two')
  const { totals } = await read(talk.user)
  expect(totals).toMatchObject({ requests: 2, unpriced_requests: 1 })
  expect(totals.cost_usd).toBeGreaterThan(0)
  const listed = await admin.get<{ items: { model: string }[] }>('/api/admin/prices')
  expect(listed.body.items.find(({ model }) => model === 'gpt-unheard-of')).toMatchObject({
    is_override: true,
  })
})

test('what is not asked for well is refused with its issue', async () => {
  for (const [query, path] of [
    ['?group_by=agent', 'group_by'],
    ['?from=yesterday', 'from'],
    ['?from=2026-01-02&to=2026-01-01', 'from'],
    ['?from=2020-01-01&to=2026-01-01', 'from'],
  ] as const)
    for (const below of ['', '/export']) {
      const { status, body } = await admin.get<{ error: { issues: { path: string }[] } }>(
        `/api/openai/usage${below}${query}`,
      )
      expect([query, status, body.error.issues[0]?.path]).toEqual([query, 400, path])
    }
  for (const bad of [
    {},
    null,
    [],
    { model: 'x' },
    { model: 'x', price: { input_usd: '1' } },
    { model: 5, price: null },
  ])
    expect([bad, (await admin.put('/api/admin/prices', bad)).status]).toEqual([bad, 400])
})

test('the export has a line for each day and group, which no spreadsheet runs', async () => {
  const model = '=HYPERLINK("http://x")'
  const talk = await talkTo(model)
  await say(talk, 'Hello')
  const { status, headers, text } = await talk.user.get('/api/openai/usage/export?group_by=model')
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('text/csv; charset=utf-8')
  expect(headers.get('content-disposition')).toMatch(
    /^attachment; filename="al-chat-usage-20\d\d-\d\d-\d\d\.csv"$/,
  )
  const lines: Record<string, string>[] = parse(text, { columns: true })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({ model: `'${model}`, requests: '1', unpriced_requests: '1', cost_usd: '0' })
  expect(lines[0]?.day).toBe(new Date().toISOString().slice(0, 10))
})
