import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { follow, openTalk, send, type Talk, view } from '../support/chat'
import { heardOf, listen } from '../support/events'
import { makeKey, withKey } from '../support/keys'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'

let openai: OpenAIServer
let server: TestServer

beforeAll(async () => {
  openai = await startOpenAI()
  server = await startServer({ OPENAI_API_KEY: 'sk-test-of-live-keys', OPENAI_BASE_URL: openai.baseUrl })
})
afterAll(async () => {
  await server.close()
  await openai.close()
})
beforeEach(() => openai.reset())

/** An answer that would take twenty seconds. */
const long = { text: Array.from({ length: 400 }, (_, n) => `word${n} `), delayMs: 50 }

type Keyed = { talk: Talk; owner: Talk['user']; keyId: string; expiresAt: number }

/** Someone who talks through a key. */
async function openKeyedTalk(lastsMs = Number.POSITIVE_INFINITY): Promise<Keyed> {
  const talk = await openTalk(server.url)
  const expiresAt = Date.now() + lastsMs
  const expiry = Number.isFinite(expiresAt) && { expires_at: new Date(expiresAt).toISOString() }
  const made = await makeKey(talk.user, { scopes: ['chat'], project_id: talk.projectId, ...expiry })
  const user = Object.assign(withKey(talk.user, made), { email: '', userId: talk.user.userId })
  return { talk: { ...talk, user }, owner: talk.user, keyId: made.id, expiresAt }
}

test('revoking a key ends its streams within a second, and who comes back is refused', async () => {
  const { talk, owner, keyId } = await openKeyedTalk()
  openai.script(long)
  const { reply } = await send(talk, 'stream on')
  const events = await listen(talk.user, `${reply.id}:-1`)
  const seen: string[] = []
  let revokedAt = 0
  for await (const { type } of follow(talk.user, reply.events_url)) {
    seen.push(type)
    if (revokedAt > 0) continue
    await events.hear('reply')
    await owner.delete(`/api/keys/${keyId}`)
    revokedAt = Date.now()
  }
  await events.ended
  expect(Date.now() - revokedAt).toBeLessThan(1000)
  expect(seen.at(-1)).toBe('text')
  expect(heardOf(events.events, reply.id).end).toBe('text')
  expect((await talk.user.get(reply.events_url)).status).toBe(401)
  await expect(listen(talk.user)).rejects.toThrow(/^401/)
})

test('the answer itself goes on for its owner, who sees it whole', async () => {
  const { talk, owner, keyId } = await openKeyedTalk()
  openai.script({ text: Array.from({ length: 20 }, (_, n) => `word${n} `), delayMs: 20 })
  const { reply } = await send(talk, 'stream on')
  await owner.delete(`/api/keys/${keyId}`)
  const types: string[] = []
  for await (const { type } of follow(owner, reply.events_url)) types.push(type)
  expect(types.at(-1)).toBe('completed')
  expect((await view({ ...talk, user: owner })).messages.at(-1)?.status).toBe('completed')
})

test('a key that runs out while it listens hears no more', async () => {
  const { talk, expiresAt } = await openKeyedTalk(5000)
  openai.script(long)
  const { reply } = await send(talk, 'stream on')
  const events = await listen(talk.user, `${reply.id}:-1`)
  const seen: string[] = []
  for await (const { type } of follow(talk.user, reply.events_url)) seen.push(type)
  await events.ended
  expect(Date.now() - expiresAt).toBeGreaterThanOrEqual(0)
  expect(Date.now() - expiresAt).toBeLessThan(1000)
  expect(seen.at(-1)).toBe('text')
  expect(heardOf(events.events, reply.id).end).toBe('text')
})

test('through a key that is bound to a project, nothing is heard of conversations elsewhere', async () => {
  const { talk, owner } = await openKeyedTalk()
  const there = await owner.post('/api/projects', { name: 'There' })
  const agent = await owner.post(`/api/projects/${there.body.id}/agents`, { name: 'There' })
  const events = await listen(talk.user)
  await events.hear('hello')
  const elsewhere = await owner.post(`/api/agents/${agent.body.id}/conversations`, {})
  const elsewhereId = String(elsewhere.body.conversation?.id)
  await owner.patch(`/api/conversations/${elsewhereId}`, { title: 'Secret' })
  await owner.delete(`/api/conversations/${elsewhereId}`)
  await owner.patch(`/api/conversations/${talk.conversationId}`, { title: 'Here' })
  await events.hear('conversation', ({ title }) => title === 'Here')
  await owner.delete(`/api/conversations/${talk.conversationId}`)
  expect(await events.hear('conversation_deleted')).toEqual({ id: talk.conversationId })
  expect(JSON.stringify(events.events)).not.toContain(elsewhereId)
  events.leave()
})
