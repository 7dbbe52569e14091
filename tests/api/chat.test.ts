import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { OpenedReply } from '../../lib/contracts/conversations'
import { follow, followToEnd, lastMessage, openTalk, send, textOf, view } from '../support/chat'
import { Client, signUp } from '../support/client'
import { echoOf, type OpenAIServer, type Script, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'
import { until } from '../support/until'

const key = 'sk-test-canary-0e1f9e77'
let openai: OpenAIServer
let server: TestServer

beforeAll(async () => {
  openai = await startOpenAI()
  server = await startServer({
    OPENAI_API_KEY: key,
    OPENAI_BASE_URL: openai.baseUrl,
    PROVIDER_TIMEOUTS: 'connect=2s,first=5s,idle=4s,total=60s',
  })
})
afterAll(async () => {
  await server.close()
  await openai.close()
})
beforeEach(() => openai.reset())

const words = (count: number) => Array.from({ length: count }, (_, n) => `word${n} `)

test('an answer streams in, is stored, and is there again after a reload', async () => {
  const talk = await openTalk(server.url, { system_prompt: 'Be brief.', model_name: 'gpt-5-mini' })
  const opened = await send(talk, 'Grüße, 世界 👋🏽')
  expect(opened.message).toMatchObject({
    role: 'user',
    status: 'completed',
    text: 'Grüße, 世界 👋🏽',
    parent_id: null,
  })
  const events = await followToEnd(talk.user, opened.reply.events_url)
  expect(textOf(events)).toBe(echoOf('Grüße, 世界 👋🏽'))
  expect(events.map(({ id }) => id)).toEqual(events.map((_, n) => n))
  expect(events.at(-1)).toMatchObject({
    type: 'completed',
    data: { usage: { input_tokens: expect.any(Number) } },
  })
  const { conversation, messages, running_reply_id: running } = await view(talk)
  expect(running).toBeNull()
  expect(conversation).toMatchObject({
    title: 'Grüße, 世界 👋🏽',
    current_message_id: opened.reply.message_id,
    running: false,
  })
  expect(messages.map(({ role, text, parent_id: parent }) => [role, text, parent])).toEqual([
    ['user', 'Grüße, 世界 👋🏽', null],
    ['assistant', echoOf('Grüße, 世界 👋🏽'), opened.message.id],
  ])
  expect(messages[1]).toMatchObject({ status: 'completed', model: 'gpt-5-mini', provider: 'openai' })
  const asked = openai.journal.at(-1)
  expect(asked?.headers.authorization).toBe(`Bearer ${key}`)
  expect(asked?.body).toMatchObject({ model: 'gpt-5-mini', instructions: 'Be brief.', stream: true })
})

test('the model is told what was said before, on this branch alone', async () => {
  const talk = await openTalk(server.url)
  const first = await send(talk, 'one')
  await followToEnd(talk.user, first.reply.events_url)
  const edited = await talk.user.post(`/api/messages/${first.message.id}/edit`, { id: newId(), text: 'uno' })
  expect(edited.status).toBe(202)
  const second = edited.body as unknown as OpenedReply
  expect(second.message).toMatchObject({ text: 'uno', parent_id: null })
  await followToEnd(talk.user, second.reply.events_url)
  const third = await send(talk, 'dos', second.reply.message_id)
  await followToEnd(talk.user, third.reply.events_url)
  const input = JSON.stringify(openai.journal.at(-1)?.body)
  expect(input).toContain('uno')
  expect(input).toContain(echoOf('uno'))
  expect(input).toContain('dos')
  expect(input).not.toContain(echoOf('one'))
  expect((await view(talk)).messages).toHaveLength(6)
})

test('an answer written anew stands beside the first, and nothing is overwritten', async () => {
  const talk = await openTalk(server.url)
  openai.script({ text: 'first answer' })
  const opened = await send(talk, 'question')
  await followToEnd(talk.user, opened.reply.events_url)
  openai.script({ text: 'second answer' })
  const id = newId()
  const again = await talk.user.post(`/api/messages/${opened.reply.message_id}/regenerate`, {
    id,
    model: 'gpt-5',
  })
  expect(again.status).toBe(202)
  const reply = (again.body as unknown as OpenedReply).reply
  expect(reply.message_id).toBe(id)
  await followToEnd(talk.user, reply.events_url)
  const answers = (await view(talk)).messages.filter(({ role }) => role === 'assistant')
  expect(answers.map(({ text, parent_id: parent, model }) => [text, parent, model])).toEqual([
    ['first answer', opened.message.id, 'gpt-5-mini'],
    ['second answer', opened.message.id, 'gpt-5'],
  ])
})

test('the same message sent again is the same reply, and one upstream call', async () => {
  const talk = await openTalk(server.url)
  const id = newId()
  const [first, second] = await Promise.all([send(talk, 'once', null, id), send(talk, 'once', null, id)])
  expect(second).toEqual(first)
  await followToEnd(talk.user, first.reply.events_url)
  const third = await send(talk, 'once', null, id)
  expect(third.reply).toEqual(first.reply)
  expect(openai.journal).toHaveLength(1)
  const path = `/api/conversations/${talk.conversationId}/messages`
  const other = await talk.user.post(path, { id, parent_id: null, text: 'something else' })
  expect([other.status, other.body.error?.code]).toEqual([409, 'conflict'])
})

test('a second message while an answer is written is refused, and says why', async () => {
  const talk = await openTalk(server.url)
  openai.script({ text: words(50), delayMs: 20 })
  const opened = await send(talk, 'slow')
  const path = `/api/conversations/${talk.conversationId}/messages`
  const second = await talk.user.post(path, { id: newId(), parent_id: opened.message.id, text: 'more' })
  expect([second.status, second.body.error?.code]).toEqual([409, 'conflict'])
  await talk.user.delete(`/api/replies/${opened.reply.id}`)
  await followToEnd(talk.user, opened.reply.events_url)
})

test('a follower that comes late, or comes back, gets every byte once and in order', async () => {
  const talk = await openTalk(server.url)
  const text = words(60)
  openai.script({ text, delayMs: 10 })
  const opened = await send(talk, 'tell me')
  const seen = []
  for await (const event of follow(talk.user, opened.reply.events_url)) {
    seen.push(event)
    if (seen.length === 3) break
  }
  const rest = await followToEnd(talk.user, opened.reply.events_url, seen.at(-1)?.id)
  const all = [...seen, ...rest]
  expect(all.map(({ id }) => id)).toEqual(all.map((_, n) => n))
  expect(textOf(all)).toBe(text.join(''))
  const late = await followToEnd(talk.user, opened.reply.events_url)
  expect(textOf(late)).toBe(text.join(''))
  const tail = await followToEnd(talk.user, opened.reply.events_url, all.at(-2)?.id)
  expect(tail.map(({ type }) => type)).toEqual(['completed'])
})

test('the reply goes on when every reader has left', async () => {
  const talk = await openTalk(server.url)
  openai.script({ text: words(30), delayMs: 10 })
  const opened = await send(talk, 'go on')
  for await (const _ of follow(talk.user, opened.reply.events_url)) break
  await until(async () => expect((await lastMessage(talk)).status).toBe('completed'))
  expect((await lastMessage(talk)).text).toBe(words(30).join(''))
})

test('stop closes the upstream call, keeps what was said, and says so', async () => {
  const talk = await openTalk(server.url)
  openai.script({ text: words(500), delayMs: 10 })
  const opened = await send(talk, 'long')
  let sawText = false
  const events = []
  for await (const event of follow(talk.user, opened.reply.events_url)) {
    events.push(event)
    if (event.type === 'text' && !sawText) {
      sawText = true
      expect((await talk.user.delete(`/api/replies/${opened.reply.id}`)).status).toBe(202)
    }
  }
  expect(events.at(-1)?.type).toBe('stopped')
  const message = await lastMessage(talk)
  expect(message).toMatchObject({ status: 'stopped', text: textOf(events) })
  expect(message.text).toContain('word0')
  await until(() => expect(openai.journal.at(-1)?.closedByClientAt).toBeDefined())
  expect((await talk.user.delete(`/api/replies/${opened.reply.id}`)).status).toBe(202)
})

const faults: [string, Script, string, string, RegExp][] = [
  ['a refused key', { error: 'invalid_api_key' }, 'provider_auth', 'vault', /key ending 9e77/],
  ['an unknown model', { error: 'model_not_found' }, '', 'settings', /model/],
  ['too many requests', { error: 'rate_limit_exceeded', retryAfterSeconds: 7 }, '', 'retry', /again/i],
  ['no credit left', { error: 'insufficient_quota' }, '', 'vault', /credit|quota/],
  ['a fault at the provider', { error: 'server_error' }, 'provider_failed', 'retry', /again/i],
  ['a page of HTML', { end: 'html200' }, 'provider_failed', '', /./],
  ['silence', { text: words(8), end: 'stall' }, 'provider_timeout', 'retry', /silent|second/],
  ['a reset connection', { text: words(8), end: 'reset' }, 'provider_failed', 'retry', /kept|again/i],
  ['a malformed line', { text: words(8), end: 'malformed' }, 'provider_failed', '', /./],
  [
    'an answer that ends too early',
    { text: words(8), end: 'cut_before_end' },
    'provider_failed',
    'retry',
    /complete/,
  ],
  ['an error in mid-answer', { text: words(8), end: 'error_nested' }, '', '', /./],
]

test.each(faults)(
  '%s upstream is told in words, the partial text is kept, the key is in none of it',
  async (_, script, code, remedy, words) => {
    const talk = await openTalk(server.url)
    openai.script(script, { times: 1 })
    const opened = await send(talk, 'trouble')
    const events = await followToEnd(talk.user, opened.reply.events_url)
    const last = events.at(-1)
    if (last?.type !== 'failed') throw new Error(`ended as ${last?.type}`)
    if (code) expect(last.data.error.code).toBe(code)
    if (remedy) expect(last.data.error.remedy).toBe(remedy)
    expect(last.data.error.message).toMatch(words)
    const message = await lastMessage(talk)
    expect(message).toMatchObject({ status: 'failed', text: textOf(events), error: last.data.error })
    if (script.text) expect(message.text).toContain('word0')
    expect(JSON.stringify(events)).not.toContain(key)
    const again = await talk.user.post(`/api/messages/${opened.reply.message_id}/regenerate`, { id: newId() })
    const reply = (again.body as unknown as OpenedReply).reply
    expect((await followToEnd(talk.user, reply.events_url)).at(-1)?.type).toBe('completed')
  },
)

test('a provider that cannot be reached is named with its address', async () => {
  const talk = await openTalk(server.url)
  const made = await talk.user.post('/api/credentials', {
    credentialType: 'openai-compatible',
    baseUrl: 'http://127.0.0.1:9/v1',
    credentials: { api_key: 'none-needed' },
  })
  expect(made.status).toBe(201)
  const opened = await send(talk, 'anyone there?')
  const last = (await followToEnd(talk.user, opened.reply.events_url)).at(-1)
  expect(last).toMatchObject({
    type: 'failed',
    data: { error: { message: expect.stringContaining('127.0.0.1:9') } },
  })
})

test('any server that speaks chat completions can answer', async () => {
  const talk = await openTalk(server.url, { model_name: 'llama3' })
  await talk.user.post('/api/credentials', {
    credentialType: 'openai-compatible',
    baseUrl: openai.baseUrl,
    credentials: { api_key: 'sk-test-of-my-own' },
  })
  const opened = await send(talk, 'hello llama')
  const events = await followToEnd(talk.user, opened.reply.events_url)
  expect(textOf(events)).toBe(echoOf('hello llama'))
  expect(openai.journal.at(-1)).toMatchObject({
    path: '/v1/chat/completions',
    headers: { authorization: 'Bearer sk-test-of-my-own' },
  })
})

test('without any key the demo model answers, and says that it is one', async () => {
  const keyless = await startServer()
  try {
    const talk = await openTalk(keyless.url)
    const opened = await send(talk, 'hello')
    const events = await followToEnd(talk.user, opened.reply.events_url)
    expect(textOf(events)).toMatch(/demo/i)
    expect(await lastMessage(talk)).toMatchObject({ provider: 'demo', model: 'demo', status: 'completed' })
  } finally {
    await keyless.close()
  }
})

test('what another user has is not there', async () => {
  const talk = await openTalk(server.url)
  const opened = await send(talk, 'mine')
  await followToEnd(talk.user, opened.reply.events_url)
  const stranger = await signUp(server.url)
  const calls = [
    stranger.get(`/api/conversations/${talk.conversationId}`),
    stranger.patch(`/api/conversations/${talk.conversationId}`, { title: 'x' }),
    stranger.delete(`/api/conversations/${talk.conversationId}`),
    stranger.post(`/api/conversations/${talk.conversationId}/messages`, {
      id: newId(),
      parent_id: null,
      text: 'x',
    }),
    stranger.post(`/api/messages/${opened.message.id}/edit`, { id: newId(), text: 'x' }),
    stranger.post(`/api/messages/${opened.reply.message_id}/regenerate`, { id: newId() }),
    stranger.get(opened.reply.events_url),
    stranger.delete(`/api/replies/${opened.reply.id}`),
    stranger.post(`/api/agents/${talk.agentId}/conversations`, {}),
  ]
  expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(9).fill(404))
})

test('deleting a conversation ends its answer, its upstream call and its followers cleanly', async () => {
  const talk = await openTalk(server.url)
  openai.script({ text: words(400), delayMs: 20 })
  const opened = await send(talk, 'never mind')
  const before = server.output()
  let deleted = 0
  for await (const _ of follow(talk.user, opened.reply.events_url)) {
    if (deleted === 0) deleted = (await talk.user.delete(`/api/conversations/${talk.conversationId}`)).status
  }
  expect(deleted).toBe(204)
  expect((await talk.user.get(opened.reply.events_url)).status).toBe(404)
  await until(() => expect(openai.journal.at(-1)?.closedByClientAt).toBeDefined())
  expect(server.output()).toBe(before)
})

test('signing out ends the live stream within a second', async () => {
  const talk = await openTalk(server.url)
  openai.script({ text: words(400), delayMs: 20 })
  const opened = await send(talk, 'stream on')
  const seen = []
  let endedAt = 0
  for await (const event of follow(talk.user, opened.reply.events_url)) {
    seen.push(event)
    if (endedAt === 0) {
      endedAt = Date.now()
      await talk.user.post('/api/auth/logout')
    }
  }
  expect(Date.now() - endedAt).toBeLessThan(1000)
  expect(seen.some(({ type }) => type === 'completed')).toBe(false)
})

test('who is taken off a project sees no more of a running answer', async () => {
  const owner = await openTalk(server.url)
  const member = await signUp(server.url)
  const role = { email: member.email, role: 'viewer' }
  expect((await owner.user.post(`/api/projects/${owner.projectId}/members`, role)).status).toBe(201)
  const opened = await member.post(`/api/agents/${owner.agentId}/conversations`, {})
  const talk = { ...owner, user: member, conversationId: String(opened.body.conversation?.id) }
  openai.script({ text: words(400), delayMs: 20 })
  const { reply } = await send(talk, 'stream on')
  const seen: string[] = []
  for await (const { type } of follow(member, reply.events_url)) {
    seen.push(type)
    if (seen.length === 1)
      await owner.user.delete(`/api/projects/${owner.projectId}/members/${member.userId}`)
  }
  expect(seen).not.toContain('completed')
  expect((await member.get(reply.events_url)).status).toBe(404)
})

test('asking for the head of a stream is answered and leaves nothing running', async () => {
  const talk = await openTalk(server.url)
  const { reply } = await send(talk, 'hello')
  const head = await talk.user.call('HEAD', reply.events_url)
  expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
  await followToEnd(talk.user, reply.events_url)
})

test('conversations are listed newest first, page by page, and found by title', async () => {
  const talk = await openTalk(server.url)
  const ids = [talk.conversationId]
  for (let n = 0; n < 4; n++) {
    const { body } = await talk.user.post(`/api/agents/${talk.agentId}/conversations`, { title: `50%_${n}` })
    ids.unshift(String(body.conversation?.id))
  }
  const page = async (query: string) => {
    const { body } = await talk.user.get(`/api/conversations?${query}`)
    return body as unknown as { items: { id: string }[]; next_cursor: string | null }
  }
  const first = await page('limit=3')
  const second = await page(`limit=3&cursor=${first.next_cursor}`)
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids)
  expect(second.next_cursor).toBeNull()
  expect((await page('query=50%25_2')).items.map(({ id }) => id)).toEqual([ids[1]])
  expect((await page('query=%25')).items).toHaveLength(4)
  expect((await talk.user.get('/api/conversations?cursor=nonsense')).status).toBe(400)
  expect((await talk.user.get('/api/conversations?limit=0')).status).toBe(400)
})

test('a conversation is renamed, pinned, archived and deleted', async () => {
  const talk = await openTalk(server.url)
  const path = `/api/conversations/${talk.conversationId}`
  const changed = await talk.user.patch(path, { title: 'Named', pinned: true, archived: true })
  expect(changed.body).toMatchObject({ title: 'Named', pinned: true, archived: true })
  await followToEnd(talk.user, (await send(talk, 'does not rename')).reply.events_url)
  expect((await view(talk)).conversation.title).toBe('Named')
  expect((await talk.user.patch(path, { current_message_id: newId() })).status).toBe(400)
  expect((await talk.user.patch(path, { owner: 'me' })).status).toBe(400)
  expect((await talk.user.delete(path)).status).toBe(204)
  expect((await talk.user.get(path)).status).toBe(404)
})

test('messages that are empty, too long or hang on nothing are refused with the reason', async () => {
  const talk = await openTalk(server.url)
  const path = `/api/conversations/${talk.conversationId}/messages`
  const refuse = async (body: unknown) => (await talk.user.post(path, body)).status
  expect(await refuse({ id: newId(), parent_id: null, text: '  \n' })).toBe(400)
  expect(await refuse({ id: newId(), parent_id: null, text: 'x'.repeat(200_001) })).toBe(400)
  expect(await refuse({ id: newId(), parent_id: newId(), text: 'x' })).toBe(400)
  expect(await refuse({ id: 'abc', parent_id: null, text: 'x' })).toBe(400)
  expect(await refuse({ id: newId(), parent_id: null, text: 'nul \u0000' })).toBe(400)
  expect(await refuse({ id: newId(), parent_id: null })).toBe(400)
  expect((await view(talk)).messages).toHaveLength(0)
})

test('a crash keeps every word that was seen, and marks the answer as interrupted', async () => {
  const crashing = await startServer({ OPENAI_API_KEY: key, OPENAI_BASE_URL: openai.baseUrl })
  try {
    const talk = await openTalk(crashing.url)
    openai.script({ text: words(400), delayMs: 10 })
    const opened = await send(talk, 'until the end')
    let seen = ''
    try {
      for await (const event of follow(talk.user, opened.reply.events_url)) {
        if (event.type === 'text') seen += event.data.text
        if (seen.length > 200) void crashing.kill()
      }
    } catch {
      // The connection breaks with the server; what was seen until then is what counts.
    }
    const again = await crashing.restart()
    talk.user = Object.assign(new Client(again.url, talk.user.token), {
      email: talk.user.email,
      userId: talk.user.userId,
    })
    await vi.waitFor(async () => expect((await lastMessage(talk)).status).toBe('interrupted'), {
      timeout: 15_000,
      interval: 200,
    })
    const { text } = await lastMessage(talk)
    expect(text.startsWith(seen)).toBe(true)
    expect(words(400).join('').startsWith(text)).toBe(true)
    await again.stop()
  } finally {
    await crashing.close()
  }
})

test('a message that is sent the moment an answer ends is asked with that answer', async () => {
  const talk = await openTalk(server.url)
  for (let round = 0; round < 8; round++) {
    const first = await send(talk, `first ${round}`)
    const body = { id: newId(), parent_id: first.reply.message_id, text: `second ${round}` }
    const path = `/api/conversations/${talk.conversationId}/messages`
    let status = 409
    while (status === 409) status = (await talk.user.post(path, body)).status
    expect(status).toBe(202)
    await until(() => expect(JSON.stringify(openai.journal.at(-1)?.body)).toContain(`second ${round}`))
    expect(JSON.stringify(openai.journal.at(-1)?.body)).toContain(echoOf(`first ${round}`))
    await until(async () => expect((await view(talk)).running_reply_id).toBeNull())
  }
})

test('the key is in no answer and no log line of all these tests', () => {
  expect(server.output()).not.toContain(key)
})

test('an answer that was cut for its length is kept and marked', async () => {
  const talk = await openTalk(server.url)
  openai.script({ text: words(10), end: 'incomplete', reason: 'max_output_tokens' })
  const opened = await send(talk, 'at length')
  const last = (await followToEnd(talk.user, opened.reply.events_url)).at(-1)
  expect(last).toMatchObject({ type: 'completed', data: { message: { finish: 'length' } } })
  expect(await lastMessage(talk)).toMatchObject({
    status: 'completed',
    finish: 'length',
    text: words(10).join(''),
  })
})

test('a page that opens a long conversation begins with the end of the branch that was read last', async () => {
  const talk = await openTalk(server.url, { model_provider: 'demo' })
  const path = `/chat/${talk.agentId}/${talk.conversationId}`
  const load = async () =>
    (await talk.user.call('GET', path, { headers: { cookie: `al_session=${talk.user.token}` } })).text
  let parentId: string | null = null
  for (let n = 0; n < 45; n++) {
    const opened = await send(talk, `marker-${n}-end`, parentId)
    await talk.user.delete(`/api/replies/${opened.reply.id}`)
    await followToEnd(talk.user, opened.reply.events_url)
    parentId = opened.reply.message_id
  }
  const html = await load()
  expect(html).toContain('marker-44-end')
  expect(html).toContain('marker-26-end')
  expect(html).not.toContain('marker-2-end')
  expect((await view(talk)).messages).toHaveLength(90)
})
