import { v7 as newId } from 'uuid'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  follow,
  followToEnd,
  lastMessage,
  openTalk,
  type SeenEvent,
  send,
  type Talk,
  textOf,
} from '../support/chat'
import { Client } from '../support/client'
import { makeKey } from '../support/keys'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { type Environment, startServer, type TestServer } from '../support/server'
import { until } from '../support/until'

/*
 * What a server does with answers that are being written when it is told to stop.
 */

let openai: OpenAIServer
let server: TestServer | undefined

beforeAll(async () => {
  openai = await startOpenAI()
})
afterAll(() => openai.close())
beforeEach(() => openai.reset())
afterEach(() => server?.close())

async function serve(env: Environment = {}): Promise<TestServer> {
  server = await startServer({
    DATABASE_URL: '',
    OPENAI_API_KEY: 'sk-test-of-drains',
    OPENAI_BASE_URL: openai.baseUrl,
    ...env,
  })
  return server
}

const words = (count: number) => Array.from({ length: count }, (_, n) => `word${n} `)

/** Sends a message, waits for the first words, and goes on reading. */
async function begin(talk: Talk): Promise<{ replyId: string; events: SeenEvent[]; over: Promise<void> }> {
  const { reply } = await send(talk, 'Go on until you are done.')
  const events: SeenEvent[] = []
  let begun = () => {}
  const hasBegun = new Promise<void>((done) => {
    begun = done
  })
  const read = async () => {
    for await (const event of follow(talk.user, reply.events_url)) {
      events.push(event)
      begun()
    }
  }
  // A stream that breaks with the server ends what can be read, and is no fault of the test.
  const over = read().catch(() => undefined)
  await hasBegun
  return { replyId: reply.id, events, over }
}

/** The same person at a server that was started again. */
const movedTo = (url: string, talk: Talk): Talk => {
  const { email, userId, token } = talk.user
  return { ...talk, user: Object.assign(new Client(url, token), { email, userId }) }
}

test('an answer that is being written is finished and read to its end, and nobody may begin another', async () => {
  const { url, stop } = await serve()
  const talk = await openTalk(url)
  const second = await openTalk(url)
  openai.script({ text: words(250), delayMs: 40 })
  const { replyId, events, over } = await begin(talk)
  const stopped = stop()
  const message = { id: newId(), parent_id: null, text: 'one more' }
  // Asked where there is nothing, until word of it has come.
  await until(async () => {
    const answer = await second.user.post(`/api/conversations/${newId()}/messages`, message)
    expect(answer.status).toBe(503)
  })
  const refused = await second.user.post(`/api/conversations/${second.conversationId}/messages`, message)
  expect(refused.status).toBe(503)
  expect(refused.body.error?.code).toBe('unavailable')
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await second.user.get('/api/projects')).status).toBe(200)
  // Whoever comes back meanwhile reads on too.
  const late = await followToEnd(talk.user, `/api/replies/${replyId}/events`)
  await over
  expect(events.at(-1)?.type).toBe('completed')
  expect(textOf(events)).toBe(words(250).join(''))
  expect(late).toEqual(events)
  expect(await stopped).toBe(0)
  expect(openai.journal).toHaveLength(1)
})

test('an answer that takes longer is interrupted: readers are told, the words are kept, the upstream call is closed', async () => {
  const { url, stop, restart } = await serve({ DRAIN_TIMEOUT: '500ms' })
  const talk = await openTalk(url)
  openai.script({ text: words(500), delayMs: 40 })
  const { events, over } = await begin(talk)
  expect(await stop()).toBe(0)
  await over
  expect(events.at(-1)?.type).toBe('interrupted')
  expect(openai.journal.at(-1)?.closedByClientAt).toBeDefined()
  server = await restart()
  const message = await lastMessage(movedTo(server.url, talk))
  expect(message).toMatchObject({ status: 'interrupted', text: textOf(events) })
  expect(message.text).toContain('word0 ')
})

test('an answer in the background is left to the next server, which writes it to its end', async () => {
  const { url, stop, restart } = await serve({ DRAIN_TIMEOUT: '500ms' })
  const talk = await openTalk(url, { background: true })
  openai.script({ text: words(100), delayMs: 40 })
  const { replyId, events, over } = await begin(talk)
  expect(await stop()).toBe(0)
  await over
  expect(events.every(({ type }) => type === 'text')).toBe(true)
  server = await restart()
  const moved = movedTo(server.url, talk)
  const rest = await followToEnd(moved.user, `/api/replies/${replyId}/events`, events.at(-1)?.id)
  expect(rest.at(-1)?.type).toBe('completed')
  expect(textOf([...events, ...rest])).toBe(words(100).join(''))
  expect((await lastMessage(moved)).text).toBe(words(100).join(''))
  const asked = openai.journal.filter(({ method }) => method === 'POST')
  expect(asked.map(({ path }) => path)).toEqual(['/v1/responses'])
})

test('a stream of an OpenAI client, which nobody could take up again, is passed on to its end', async () => {
  const { url, stop } = await serve()
  const { user } = await openTalk(url)
  const { key } = await makeKey(user, { scopes: ['gateway'] })
  openai.script({ text: words(250), delayMs: 40 })
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const messages = [{ role: 'user', content: 'Go on until you are done.' }]
  const body = JSON.stringify({ model: 'gpt-5-mini', messages, stream: true })
  const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
  const stopped = stop()
  const told = await answer.text()
  expect(told).toContain('word0 ')
  expect(told).toContain('word59 ')
  expect(told.endsWith('data: [DONE]\n\n')).toBe(true)
  expect(await stopped).toBe(0)
})
