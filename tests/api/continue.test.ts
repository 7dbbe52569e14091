import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { OpenedReply } from '../../lib/contracts/conversations'
import {
  follow,
  followToEnd,
  lastMessage,
  openTalk,
  type SeenEvent,
  send,
  type Talk,
  textOf,
  view,
} from '../support/chat'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'

let openai: OpenAIServer
let server: TestServer

beforeAll(async () => {
  openai = await startOpenAI()
  server = await startServer({ OPENAI_API_KEY: 'sk-test-continue', OPENAI_BASE_URL: openai.baseUrl })
})
afterAll(async () => {
  await server.close()
  await openai.close()
})
beforeEach(() => openai.reset())

const words = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `word${from + n} `)

/** An answer that was stopped after its first words. */
async function stopEarly(talk: Talk): Promise<OpenedReply> {
  const opened = await send(talk, 'tell me')
  for await (const { type } of follow(talk.user, opened.reply.events_url)) {
    if (type === 'text') await talk.user.delete(`/api/replies/${opened.reply.id}`)
  }
  return opened
}

async function goOn(
  talk: Talk,
  messageId: string,
  id = newId(),
): Promise<{ opened: OpenedReply; events: SeenEvent[] }> {
  const { status, body, text } = await talk.user.post(`/api/messages/${messageId}/continue`, { id })
  expect(status, text).toBe(202)
  const opened = body as unknown as OpenedReply
  return { opened, events: await followToEnd(talk.user, opened.reply.events_url) }
}

test('an answer that broke off is continued in a new one beside it, which begins with what was said', async () => {
  const talk = await openTalk(server.url)
  openai.script({ text: words(0, 400), delayMs: 10 })
  const stopped = await stopEarly(talk)
  const said = (await lastMessage(talk)).text
  expect(said).toMatch(/^word0 /)
  openai.script({ text: words(500, 510) })
  const { opened, events } = await goOn(talk, stopped.reply.message_id)
  expect(textOf(events)).toBe(said + words(500, 510).join(''))
  expect(events.at(-1)?.type).toBe('completed')
  const { messages, conversation } = await view(talk)
  const [, before, after] = messages
  expect(messages).toHaveLength(3)
  expect(before).toMatchObject({ status: 'stopped', text: said })
  expect(after).toMatchObject({ id: opened.message.id, status: 'completed', parent_id: before?.parent_id })
  expect(after?.text).toBe(said + words(500, 510).join(''))
  expect(conversation.current_message_id).toBe(opened.message.id)
  const asked = openai.journal.at(-1)?.body as { input: { role: string; content: string }[] }
  expect(asked.input.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
  expect(asked.input[1]?.content).toBe(said)
  expect(asked.input[2]?.content).toContain('Go on from exactly there')
})

test('the same request again is the same continuation, and one upstream call', async () => {
  const talk = await openTalk(server.url)
  openai.script({ text: words(0, 400), delayMs: 10 })
  const stopped = await stopEarly(talk)
  const id = newId()
  const calls = openai.journal.length
  const answers = await Promise.all(Array.from({ length: 8 }, () => goOn(talk, stopped.reply.message_id, id)))
  expect(new Set(answers.map(({ opened }) => opened.reply.id)).size).toBe(1)
  expect(openai.journal.length).toBe(calls + 1)
})

test('the demo model goes on where it broke off', async () => {
  const talk = await openTalk(server.url, { model_provider: 'demo' })
  const whole = await send(talk, 'code')
  const full = (await stopAfter(talk, whole, 5)).text
  const { events } = await goOn(talk, whole.reply.message_id)
  const last = (await view(talk)).messages.at(-1)
  expect(textOf(events).startsWith(full)).toBe(true)
  expect(last?.text.length).toBeGreaterThan(full.length)
  expect(last?.text.match(/not an AI/g)).toHaveLength(1)
}, 60_000)

async function stopAfter(talk: Talk, opened: OpenedReply, frames: number) {
  for await (const { id } of follow(talk.user, opened.reply.events_url))
    if (id === frames) await talk.user.delete(`/api/replies/${opened.reply.id}`)
  return lastMessage(talk)
}

test('a whole answer, a message of the user and another one’s answer cannot be continued', async () => {
  const talk = await openTalk(server.url)
  const opened = await send(talk, 'hello')
  await followToEnd(talk.user, opened.reply.events_url)
  const refuse = async (messageId: string, by = talk.user) =>
    (await by.post(`/api/messages/${messageId}/continue`, { id: newId() })).status
  expect(await refuse(opened.reply.message_id)).toBe(400)
  expect(await refuse(opened.message.id)).toBe(400)
  expect(await refuse(newId())).toBe(404)
  expect(await refuse(opened.reply.message_id, (await openTalk(server.url)).user)).toBe(404)
})
