import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ResolutionStep } from '../../lib/contracts/credentials'
import { followToEnd, openTalk, send } from '../support/chat'
import { Client, password, signUp } from '../support/client'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'

/*
 * One AL-Chat is the Papita of another: what it answers to programs is what the other asks.
 */

let openai: OpenAIServer
let home: TestServer
let branch: TestServer
let admin: Client

beforeAll(async () => {
  openai = await startOpenAI()
  home = await startServer()
  admin = await signUp(home.url, 'admin')
  const { body } = await admin.post('/api/keys', { name: 'The branch', scopes: ['credentials:read'] })
  branch = await startServer({
    PAPITA_API_URL: `${home.url}/api`,
    PAPITA_API_TOKEN: String(body.key),
    OPENAI_BASE_URL: openai.baseUrl,
  })
})
afterAll(async () => {
  await branch.close()
  await home.close()
  await openai.close()
})

const keep = (by: Client, api_key: string, more: object = {}) =>
  by.post('/api/credentials', { credentialType: 'openai', credentials: { api_key }, ...more })

test("a user's key in the one serves the same user's chats in the other, and everyone's key the others'", async () => {
  const talk = await openTalk(branch.url)
  const { body } = await new Client(home.url).post('/api/auth/register', { email: talk.user.email, password })
  expect((await keep(new Client(home.url, String(body.token)), 'sk-test-of-the-user-1a1a')).status).toBe(201)
  expect((await keep(admin, 'sk-test-of-everyone-2b2b', { scope: 'global' })).status).toBe(201)
  const other = await openTalk(branch.url)
  for (const someone of [talk, other]) {
    const { reply } = await send(someone, 'Hello')
    expect((await followToEnd(someone.user, reply.events_url)).at(-1)?.type).toBe('completed')
  }
  expect(openai.journal.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer sk-test-of-the-user-1a1a',
    'Bearer sk-test-of-everyone-2b2b',
  ])
  const told = await other.user.get(`/api/agents/${other.agentId}/credential`)
  const steps = told.body.steps as unknown as ResolutionStep[]
  expect(steps.slice(0, 2).map(({ status }) => status)).toEqual(['empty', 'serves'])
  const { body: health } = await new Client(branch.url).get('/api/health')
  expect(health.checks?.papita).toEqual({ status: 'healthy', latency_ms: expect.any(Number) })
})

test('a key that the one keeps for another address goes nowhere from the other, which says why', async () => {
  const talk = await openTalk(branch.url)
  openai.reset()
  const { body } = await new Client(home.url).post('/api/auth/register', { email: talk.user.email, password })
  const elsewhere = { baseUrl: 'https://proxy.example/v1' }
  const someone = new Client(home.url, String(body.token))
  expect((await keep(someone, 'sk-test-of-a-proxy-3c3c', elsewhere)).status).toBe(201)
  const told = await talk.user.get(`/api/agents/${talk.agentId}/credential`)
  const steps = told.body.steps as unknown as ResolutionStep[]
  expect(steps[0]).toEqual({
    source: 'papita_user',
    status: 'failed',
    detail: 'The key in Papita is for another address than OPENAI_BASE_URL. The next key serves.',
  })
  const { reply } = await send(talk, 'Hello')
  expect((await followToEnd(talk.user, reply.events_url)).at(-1)?.type).toBe('completed')
  expect(JSON.stringify(openai.journal)).not.toContain('3c3c')
})
