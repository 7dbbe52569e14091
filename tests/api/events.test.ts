import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { OpenedReply } from '../../lib/contracts/conversations'
import { follow, followToEnd, lastMessage, openTalk, send, type Talk, view } from '../support/chat'
import { Client, signUp } from '../support/client'
import { heardOf, type Listening, listen } from '../support/events'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'
import { until } from '../support/until'

const key = 'sk-test-canary-0e1f9e77'
let openai: OpenAIServer
let server: TestServer

beforeAll(async () => {
  openai = await startOpenAI()
  server = await startServer({ OPENAI_API_KEY: key, OPENAI_BASE_URL: openai.baseUrl })
})
afterAll(async () => {
  await server.close()
  await openai.close()
})
beforeEach(() => openai.reset())

const words = (count: number) => Array.from({ length: count }, (_, n) => `wörd${n} 世 `)
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)
const path = (talk: Talk) => `/api/conversations/${talk.conversationId}`
const leaveAll = (all: Listening[]) => {
  for (const listening of all) listening.leave()
}

test('the stream says first whose it is', async () => {
  const user = await signUp(server.url)
  const listening = await listen(user)
  expect(await listening.hear('hello')).toEqual({ user_id: user.userId })
  listening.leave()
})

test('every change of a conversation is told on all of its user’s devices, as it is afterwards', async () => {
  const talk = await openTalk(server.url)
  const devices = await Promise.all([listen(talk.user), listen(talk.user)])
  const hearAll = (fits: Parameters<typeof hearConversation>[1]) =>
    Promise.all(devices.map((device) => hearConversation(device, fits)))
  await Promise.all(devices.map((device) => device.hear('hello')))

  const made = await talk.user.post(`/api/agents/${talk.agentId}/conversations`, {})
  await hearAll(({ id }) => id === String(made.body.conversation?.id))
  await talk.user.patch(path(talk), { title: 'Named', pinned: true })
  await hearAll(({ title, pinned }) => title === 'Named' && pinned)
  await talk.user.patch(path(talk), { archived: true })
  await hearAll(({ archived }) => archived)
  await talk.user.delete(path(talk))
  const gone = await Promise.all(devices.map((device) => device.hear('conversation_deleted')))
  expect(gone).toEqual([{ id: talk.conversationId }, { id: talk.conversationId }])
  leaveAll(devices)
})

const hearConversation = (device: Listening, fits: Parameters<typeof device.hear<'conversation'>>[1]) =>
  device.hear('conversation', fits)

test('a message names its conversation and begins an answer; its end, however it comes, is told too', async () => {
  const talk = await openTalk(server.url)
  const device = await listen(talk.user)
  await device.hear('hello')
  openai.script({ text: words(400), delayMs: 10 }, { times: 1 })
  const opened = await send(talk, 'What is new?')
  const begun = await device.hear('conversation', ({ running }) => running)
  expect(begun).toMatchObject({ title: 'What is new?', current_message_id: opened.reply.message_id })
  await talk.user.delete(`/api/replies/${opened.reply.id}`)
  await device.hear('conversation', ({ running, title }) => !running && title !== 'New chat')

  const told = device.events.length
  openai.script({ error: 'server_error' })
  await followToEnd(talk.user, (await send(talk, 'again', opened.reply.message_id)).reply.events_url)
  await until(() => {
    const later = device.events.slice(told).filter(({ type }) => type === 'conversation')
    expect(later.at(-1)?.data).toMatchObject({ running: false })
  })
  device.leave()
})

test('what others do is not told', async () => {
  const [mine, theirs] = await Promise.all([openTalk(server.url), openTalk(server.url)])
  const device = await listen(mine.user)
  await device.hear('hello')
  await theirs.user.patch(path(theirs), { title: 'Secret' })
  await mine.user.patch(path(mine), { title: 'Mine' })
  await device.hear('conversation', ({ title }) => title === 'Mine')
  expect(JSON.stringify(device.events)).not.toContain('Secret')
  device.leave()
})

test('one connection carries several answers, each from where the reader is, once and in order', async () => {
  const talk = await openTalk(server.url)
  const text = words(80)
  openai.script({ text, delayMs: 5 }, { times: 2 })
  const first = await send(talk, 'one')
  const seen = []
  for await (const event of follow(talk.user, first.reply.events_url)) {
    seen.push(event)
    if (seen.length === 3) break
  }
  const other = await talk.user.post(`/api/agents/${talk.agentId}/conversations`, {})
  const second = await send({ ...talk, conversationId: String(other.body.conversation?.id) }, 'two')
  const device = await listen(talk.user, `${first.reply.id}:2,${second.reply.id}:-1`)
  const isEnd = (id: string) => (frame: { reply_id: string; type: string }) =>
    frame.reply_id === id && frame.type === 'completed'
  await Promise.all([
    device.hear('reply', isEnd(first.reply.id)),
    device.hear('reply', isEnd(second.reply.id)),
  ])
  const rest = heardOf(device.events, first.reply.id)
  const before = seen.map((event) => (event.type === 'text' ? event.data.text : '')).join('')
  expect(before + rest.text).toBe(text.join(''))
  expect(rest.seqs).toEqual(rest.seqs.map((_, n) => n + 3))
  const whole = heardOf(device.events, second.reply.id)
  expect([whole.text, whole.seqs]).toEqual([text.join(''), upTo(whole.seqs.length)])
  // The end carries the whole message, and the feed goes on.
  const end = await device.hear('reply', isEnd(second.reply.id))
  expect(end.data).toMatchObject({ message: { status: 'completed', text: text.join('') } })
  await talk.user.patch(path(talk), { title: 'Still here' })
  await device.hear('conversation', ({ title }) => title === 'Still here')
  device.leave()
})

test('an answer that is another’s, gone, or deleted meanwhile is told so; the rest goes on', async () => {
  const [mine, theirs] = await Promise.all([openTalk(server.url), openTalk(server.url)])
  // Longer than anything here takes; the two that are left are stopped at the end.
  for (const input of ['mine', 'theirs', 'kept'])
    openai.script({ match: { input }, text: words(3000), delayMs: 20 })
  const [opened, secret, kept] = [
    await send(mine, 'mine'),
    await send(theirs, 'theirs'),
    await mine.user.post(`/api/agents/${mine.agentId}/conversations`, {}),
  ]
  const other = await send({ ...mine, conversationId: String(kept.body.conversation?.id) }, 'kept')
  const follows = [opened.reply.id, secret.reply.id, newId(), other.reply.id].map((id) => `${id}:-1`)
  const device = await listen(mine.user, follows.join(','))
  await device.hear('reply_gone', ({ reply_id: id }) => id === secret.reply.id)
  await device.hear('reply', ({ reply_id: id }) => id === opened.reply.id)
  await mine.user.delete(path(mine))
  // It is stopped before it is deleted, and may be heard to end; then there is nothing more to tell of it.
  await Promise.race([
    device.hear('reply_gone', ({ reply_id: id }) => id === opened.reply.id),
    device.hear('reply', ({ reply_id: id, type }) => id === opened.reply.id && type === 'stopped'),
  ])
  const heard = heardOf(device.events, other.reply.id).seqs.length
  await device.hear('reply', ({ reply_id: id, seq }) => id === other.reply.id && seq >= heard)
  expect(heardOf(device.events, secret.reply.id).seqs).toEqual([])
  device.leave()
  await Promise.all([
    mine.user.delete(`/api/replies/${other.reply.id}`),
    theirs.user.delete(`/api/replies/${secret.reply.id}`),
  ])
})

test('signing out ends the stream, and who comes back is refused', async () => {
  const talk = await openTalk(server.url)
  openai.script({ text: words(400), delayMs: 10 })
  const opened = await send(talk, 'on and on')
  const device = await listen(talk.user, `${opened.reply.id}:-1`)
  await device.hear('reply')
  await talk.user.post('/api/auth/logout')
  await device.ended
  expect(heardOf(device.events, opened.reply.id).end).toBe('text')
  await expect(listen(talk.user)).rejects.toThrow(/^401/)
})

test('who is taken off a project hears no more of its conversations', async () => {
  const owner = await openTalk(server.url)
  const member = await signUp(server.url)
  const role = { email: member.email, role: 'viewer' }
  await owner.user.post(`/api/projects/${owner.projectId}/members`, role)
  const made = await member.post(`/api/agents/${owner.agentId}/conversations`, {})
  const talk = { ...owner, user: member, conversationId: String(made.body.conversation?.id) }
  openai.script({ text: words(400), delayMs: 10 })
  const opened = await send(talk, 'on and on')
  const device = await listen(member, `${opened.reply.id}:-1`)
  await device.hear('reply')
  await owner.user.delete(`/api/projects/${owner.projectId}/members/${member.userId}`)
  await device.ended
  const back = await listen(member, `${opened.reply.id}:-1`)
  expect(await back.hear('reply_gone')).toEqual({ reply_id: opened.reply.id })
  back.leave()
})

test.each([
  ['agent', (talk: Talk) => `/api/agents/${talk.agentId}`],
  ['project', (talk: Talk) => `/api/projects/${talk.projectId}?confirm=Project`],
])('deleting the %s sends its users’ readers to look again', async (_, address) => {
  const talk = await openTalk(server.url)
  const device = await listen(talk.user)
  await device.hear('hello')
  expect((await talk.user.delete(address(talk))).status).toBe(204)
  await device.ended
})

test('an answer that a crash cut off is told as interrupted by the next server', async () => {
  const crashing = await startServer({ OPENAI_API_KEY: key, OPENAI_BASE_URL: openai.baseUrl })
  try {
    const talk = await openTalk(crashing.url)
    openai.script({ text: words(400), delayMs: 10 })
    const opened = await send(talk, 'until the end')
    const before = await listen(talk.user, `${opened.reply.id}:-1`)
    await before.hear('reply', ({ seq }) => seq === 3)
    await crashing.kill()
    await before.ended
    const again = await crashing.restart()
    const user = new Client(again.url, talk.user.token)
    const { seqs, text } = heardOf(before.events, opened.reply.id)
    const after = await listen(user, `${opened.reply.id}:${seqs.at(-1)}`)
    const end = await after.hear('reply', ({ type }) => type === 'interrupted')
    const rest = heardOf(after.events, opened.reply.id)
    expect(end.data).toMatchObject({ message: { status: 'interrupted', text: text + rest.text } })
    expect([...seqs, ...rest.seqs]).toEqual(upTo(seqs.length + rest.seqs.length))
    after.leave()
    await again.stop()
  } finally {
    await crashing.close()
  }
})

test('at most ten streams a user, and a seat is free as soon as one leaves', async () => {
  const user = await signUp(server.url)
  const devices = await Promise.all(upTo(10).map(() => listen(user)))
  await Promise.all(devices.map((device) => device.hear('hello')))
  const refused = await user.get('/api/events')
  expect([refused.status, refused.body.error?.code]).toEqual([429, 'too_many_requests'])
  expect(refused.headers.get('retry-after')).not.toBeNull()
  devices[0]?.leave()
  const next = await until(() => listen(user))
  leaveAll([...devices, next])
})

test('what cannot be meant is refused with the reason', async () => {
  const user = await signUp(server.url)
  const id = newId()
  const refuse = async (replies: string) => (await user.get(`/api/events?replies=${replies}`)).status
  expect(await refuse('')).toBe(400)
  expect(await refuse('nonsense')).toBe(400)
  expect(await refuse(id)).toBe(400)
  expect(await refuse(`${id}:x`)).toBe(400)
  expect(await refuse(`${id}:-2`)).toBe(400)
  expect(await refuse(`${id}:1:2`)).toBe(400)
  expect(await refuse(`${id}:1,${id}:2`)).toBe(400)
  expect(await refuse(`__proto__:1`)).toBe(400)
  expect(
    await refuse(
      upTo(33)
        .map(() => `${newId()}:-1`)
        .join(','),
    ),
  ).toBe(400)
  expect((await user.get('/api/events?reply=1')).status).toBe(400)
  const device = await listen(
    user,
    upTo(32)
      .map(() => `${newId()}:-1`)
      .join(','),
  )
  await until(() => expect(device.events.filter(({ type }) => type === 'reply_gone')).toHaveLength(32))
  device.leave()
})

test('a reader who takes nothing holds up nobody, and is told everything when it reads', async () => {
  const talk = await openTalk(server.url)
  const text = upTo(200).map((n) => `${n}:${'x'.repeat(4000)} `)
  openai.script({ text, delayMs: 2 })
  const opened = await send(talk, 'at length')
  const gone = new AbortController()
  const response = await fetch(`${server.url}/api/events?replies=${opened.reply.id}:-1`, {
    headers: { authorization: `Bearer ${talk.user.token}` },
    signal: gone.signal,
  })
  const other = await listen(talk.user, `${opened.reply.id}:-1`)
  await other.hear('reply', ({ type }) => type === 'completed')
  expect((await lastMessage(talk)).text).toBe(text.join(''))
  let late = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    late += decoder.decode(chunk, { stream: true })
    if (late.includes('"type":"completed"')) break
  }
  for (const piece of text) expect(late).toContain(piece.slice(0, 20))
  gone.abort()
  other.leave()
})

test('asking for the head of the stream takes no seat', async () => {
  const user = await signUp(server.url)
  for (const _ of upTo(12)) expect((await user.call('HEAD', '/api/events')).status).toBe(200)
  const device = await listen(user)
  await device.hear('hello')
  device.leave()
})

test('a page that asks again for what it saw end gets the end alone', async () => {
  const talk = await openTalk(server.url)
  openai.script({ text: words(5) })
  const opened = await send(talk, 'short')
  const events = await followToEnd(talk.user, opened.reply.events_url)
  const device = await listen(talk.user, `${opened.reply.id}:${events.length - 2}`)
  await device.hear('reply', ({ type }) => type === 'completed')
  expect(heardOf(device.events, opened.reply.id).seqs).toEqual([events.length - 1])
  expect((await view(talk)).running_reply_id).toBeNull()
  device.leave()
})

test('an edit and a second answer are told as they begin', async () => {
  const talk = await openTalk(server.url)
  openai.script({ text: words(3) })
  const opened = await send(talk, 'first')
  await followToEnd(talk.user, opened.reply.events_url)
  const device = await listen(talk.user)
  await device.hear('hello')
  const id = newId()
  const again = await talk.user.post(`/api/messages/${opened.reply.message_id}/regenerate`, { id })
  await device.hear('conversation', ({ current_message_id: current }) => current === id)
  await followToEnd(talk.user, (again.body as unknown as OpenedReply).reply.events_url)
  const edited = await talk.user.post(`/api/messages/${opened.message.id}/edit`, { id: newId(), text: 'new' })
  const { reply } = edited.body as unknown as OpenedReply
  await device.hear('conversation', ({ current_message_id: current }) => current === reply.message_id)
  device.leave()
})
