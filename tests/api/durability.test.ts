import { request } from 'node:http'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { OpenedReply } from '../../lib/contracts/conversations'
import { follow, followToEnd, lastMessage, openTalk, send, type Talk, textOf, view } from '../support/chat'
import type { Client } from '../support/client'
import { urlOfEmbedded } from '../support/crash/evidence'
import { queryOnce } from '../support/embedded'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'
import { until } from '../support/until'

/*
 * Answers over real HTTP: stopped once and for all, and asked for once, however often the message is sent.
 */

let openai: OpenAIServer
let server: TestServer

beforeAll(async () => {
  openai = await startOpenAI()
  server = await startServer({
    DATABASE_URL: '',
    OPENAI_API_KEY: 'sk-test-of-durability',
    OPENAI_BASE_URL: openai.baseUrl,
  })
})
afterAll(async () => {
  await server.close()
  await openai.close()
})
beforeEach(() => openai.reset())

const words = (count: number) => Array.from({ length: count }, (_, n) => `word${n} `)

type Counted = { outcome: string; input_tokens: number; output_tokens: number; estimated: boolean }

/** What the ledger has of a reply. */
function readLedger(replyId: string): Promise<Counted[]> {
  return queryOnce<Counted>(
    urlOfEmbedded(server.dataDir),
    'SELECT outcome, input_tokens, output_tokens, estimated FROM usage_entries WHERE reply_id = $1',
    [replyId],
  )
}

const asked = () => openai.journal.filter(({ path }) => path === '/v1/responses')

describe('stop', () => {
  /** Stops an answer after its first words; returns what its reader saw. */
  async function stopEarly(talk: Talk) {
    openai.script({ text: words(500), delayMs: 20 })
    const { reply } = await send(talk, 'on and on')
    const events = []
    let stoppedAt = 0
    for await (const event of follow(talk.user, reply.events_url)) {
      events.push(event)
      if (stoppedAt > 0) continue
      stoppedAt = Date.now()
      expect((await talk.user.delete(`/api/replies/${reply.id}`)).status).toBe(202)
    }
    return { reply, events, stoppedAt }
  }

  test('hangs up upstream, keeps and counts what was said, once', async () => {
    const talk = await openTalk(server.url)
    const { reply, events, stoppedAt } = await stopEarly(talk)
    expect(events.at(-1)?.type).toBe('stopped')
    expect(await lastMessage(talk)).toMatchObject({ status: 'stopped', text: textOf(events) })
    const call = asked()[0]
    // Long before upstream would have been done, which is after 10 s.
    await until(() => expect(call?.closedByClientAt).toBeDefined())
    expect((call?.closedByClientAt ?? 0) - stoppedAt).toBeLessThan(5000)
    expect((await talk.user.delete(`/api/replies/${reply.id}`)).status).toBe(202)
    const [counted, ...more] = await readLedger(reply.id)
    expect(more).toEqual([])
    expect(counted).toMatchObject({ outcome: 'stopped', estimated: true })
    expect(counted?.output_tokens).toBeGreaterThan(0)
    expect((await lastMessage(talk)).status).toBe('stopped')
  })

  test('tells a provider that answers in the background, which would not notice otherwise', async () => {
    const talk = await openTalk(server.url, { background: true })
    const { reply, events } = await stopEarly(talk)
    expect(events.at(-1)?.type).toBe('stopped')
    const cancelled = await until(() => {
      const call = openai.journal.find(({ method, path }) => method === 'POST' && path.endsWith('/cancel'))
      expect(call?.status).toBe(200)
      return call
    })
    expect(cancelled?.path).toMatch(/^\/v1\/responses\/resp_\w+\/cancel$/)
    expect(await readLedger(reply.id)).toHaveLength(1)
  })

  test('before the first word leaves an empty answer and nothing running', async () => {
    const talk = await openTalk(server.url)
    openai.script({ text: 'too late', firstByteDelayMs: 30_000 })
    const { reply } = await send(talk, 'think long')
    await until(() => expect(asked()).toHaveLength(1))
    await talk.user.delete(`/api/replies/${reply.id}`)
    const events = await followToEnd(talk.user, reply.events_url)
    expect(events.map(({ type }) => type)).toEqual(['stopped'])
    await until(() => expect(asked()[0]?.closedByClientAt).toBeDefined())
    expect((await view(talk)).running_reply_id).toBeNull()
  })
})

test('an answer whose server died before it could note whom it asked is interrupted, and counted', async () => {
  const talk = await openTalk(server.url)
  const [replyId, questionId, answerId] = [newId(), newId(), newId()]
  await queryOnce(
    urlOfEmbedded(server.dataDir),
    `WITH said AS (
      INSERT INTO messages (id, conversation_id, parent_id, role, status, text) VALUES
        ($2, $4, NULL, 'user', 'completed', 'a question of forty characters, or so...'),
        ($3, $4, $2, 'assistant', 'running', '')
    )
    INSERT INTO replies
      (id, conversation_id, user_id, message_id, request_id, request_hash, node_id, lease_expires_at)
    VALUES ($1, $4, $5, $3, $2, '', 'a server that died', now())`,
    [replyId, questionId, answerId, talk.conversationId, talk.user.userId],
  )
  await until(async () => expect((await view(talk)).running_reply_id).toBeNull())
  expect((await lastMessage(talk)).status).toBe('interrupted')
  expect(await readLedger(replyId)).toEqual([
    { outcome: 'interrupted', input_tokens: 10, output_tokens: 0, estimated: true },
  ])
})

describe('the same message', () => {
  const pathOf = ({ conversationId }: Talk) => `/api/conversations/${conversationId}/messages`

  test('sent twenty times at once is one message, one answer, one upstream call', async () => {
    const talk = await openTalk(server.url)
    const id = newId()
    const opened = await Promise.all(Array.from({ length: 20 }, () => send(talk, 'once', null, id)))
    expect(new Set(opened.map(({ reply }) => reply.id)).size).toBe(1)
    await followToEnd(talk.user, opened[0]?.reply.events_url ?? '')
    expect((await view(talk)).messages.map(({ role }) => role)).toEqual(['user', 'assistant'])
    expect(asked()).toHaveLength(1)
    expect(await readLedger(opened[0]?.reply.id ?? '')).toHaveLength(1)
  })

  test('sent again because the answer got lost is the same reply', async () => {
    const talk = await openTalk(server.url)
    const body = { id: newId(), parent_id: null, text: 'did you hear me?' }
    // The server may have read it by then, or not.
    for (let n = 0; n < 5; n++) await sendAndHangUp(talk.user, pathOf(talk), body, n * 5)
    const again = await send(talk, body.text, null, body.id)
    const events = await followToEnd(talk.user, again.reply.events_url)
    expect(events.at(-1)?.type).toBe('completed')
    expect(asked()).toHaveLength(1)
    expect((await view(talk)).messages).toHaveLength(2)
  })

  test('with other words, or in another conversation, is a conflict', async () => {
    const talk = await openTalk(server.url)
    const id = newId()
    const { reply } = await send(talk, 'mine', null, id)
    await followToEnd(talk.user, reply.events_url)
    const opened = await talk.user.post(`/api/agents/${talk.agentId}/conversations`)
    const elsewhere = { ...talk, conversationId: String(opened.body.conversation?.id) }
    const stranger = await openTalk(server.url)
    const calls = [
      talk.user.post(pathOf(talk), { id, parent_id: null, text: 'not mine' }),
      talk.user.post(pathOf(elsewhere), { id, parent_id: null, text: 'mine' }),
      stranger.user.post(pathOf(stranger), { id, parent_id: null, text: 'mine' }),
      talk.user.post(`/api/messages/${reply.message_id}/regenerate`, { id }),
    ]
    const answers = await Promise.all(calls)
    expect(answers.map(({ status, body }) => [status, body.error?.code])).toEqual(
      calls.map(() => [409, 'conflict']),
    )
    expect(asked()).toHaveLength(1)
    expect((await view(elsewhere)).messages).toEqual([])
  })

  test.each(['regenerate', 'continue'])('asked to %s ten times at once gets one answer', async (deed) => {
    const talk = await openTalk(server.url)
    openai.script({ text: words(10), ...(deed === 'continue' && { end: 'reset' }) })
    const first = await send(talk, 'begin')
    await followToEnd(talk.user, first.reply.events_url)
    const id = newId()
    const path = `/api/messages/${first.reply.message_id}/${deed}`
    const answers = await Promise.all(Array.from({ length: 10 }, () => talk.user.post(path, { id })))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202))
    const opened = answers.map(({ body }) => (body as unknown as OpenedReply).reply.id)
    expect(new Set(opened).size).toBe(1)
    await followToEnd(talk.user, `/api/replies/${opened[0]}/events`)
    expect(asked()).toHaveLength(2)
    expect((await view(talk)).messages).toHaveLength(3)
  })

  test('of two tabs that say different things at once, one is heard and the other told why', async () => {
    const talk = await openTalk(server.url)
    openai.script({ text: words(20), delayMs: 20 })
    const say = (text: string) => talk.user.post(pathOf(talk), { id: newId(), parent_id: null, text })
    const answers = await Promise.all([say('left'), say('right')])
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409])
    expect(answers.find(({ status }) => status === 409)?.body.error?.code).toBe('conflict')
    const opened = answers.find(({ status }) => status === 202)?.body as unknown as OpenedReply
    await followToEnd(talk.user, opened.reply.events_url)
    expect(asked()).toHaveLength(1)
    expect((await view(talk)).messages).toHaveLength(2)
  })
})

/** Sends a request as someone does whose network goes away before the answer comes. */
function sendAndHangUp({ url, token }: Client, path: string, body: object, afterMs: number): Promise<void> {
  const text = JSON.stringify(body)
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  }
  return new Promise((done) => {
    const call = request(url + path, { method: 'POST', headers, agent: false })
    call.on('error', () => undefined).once('close', done)
    call.end(text, () => setTimeout(() => call.destroy(), afterMs))
  })
}
