import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Client, signUp } from '../../support/client'
import { makeKey } from '../../support/keys'
import { echoOf, type OpenAIServer, startOpenAI } from '../../support/openai'
import { readAllData } from '../../support/plain-events'
import { startServer, type TestServer } from '../../support/server'
import { readSessionLog } from '../../support/session-log'

/*
 * The chat window of the Flask service, as it is: it keeps what was said by itself and sends it along, tells the server
 * when it opens and when it closes, and knows nothing but a base URL and a key.
 */

type Said = { role: 'user' | 'assistant'; content: string }
type File = { name: string; content: string }
type Answer = {
  success: boolean
  response: string
  session_id: string
  model: string
  usage: unknown
  timestamp: string
}

class ChatWindow {
  readonly history: Said[] = []
  sessionId = ''
  readonly #url: string
  readonly #key: string

  constructor(url: string, key: string) {
    this.#url = url
    this.#key = key
  }

  async open(username: string): Promise<void> {
    const { success, session_id } = await this.#post('/api/session/start', {
      username,
      metadata: { page: '/' },
    })
    expect(success).toBe(true)
    this.sessionId = String(session_id)
  }

  async send(message: string, files: File[] = []): Promise<Answer> {
    const answer = (await this.#post('/api/chat', {
      message,
      history: this.history,
      attached_files: files,
      session_id: this.sessionId,
      username: 'ada',
    })) as Answer
    this.history.push({ role: 'user', content: message }, { role: 'assistant', content: answer.response })
    return answer
  }

  async close(): Promise<Record<string, unknown>> {
    const metrics = { clicks: this.history.length }
    return this.#post('/api/session/stop', { session_id: this.sessionId, metrics })
  }

  async #post(path: string, body: object): Promise<Record<string, unknown>> {
    const response = await this.call(path, body)
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
    return (await response.json()) as Record<string, unknown>
  }

  call(path: string, body: object, more: { signal?: AbortSignal; accept?: string } = {}): Promise<Response> {
    return fetch(this.#url + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${this.#key}`,
        ...(more.accept && { accept: more.accept }),
      },
      body: JSON.stringify(body),
      ...(more.signal && { signal: more.signal }),
    })
  }
}

let upstream: OpenAIServer
let server: TestServer
let ada: Client
let key: string

beforeAll(async () => {
  upstream = await startOpenAI()
  server = await startServer({ OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'sk-test-of-the-server' })
  ada = await signUp(server.url, 'ada')
  key = (await makeKey(ada, { scopes: ['chat'] })).key
})
beforeEach(() => upstream.reset())
afterAll(async () => {
  await server.close()
  await upstream.close()
})

/** What the model was last told, turn by turn. */
function lastTold(): string[] {
  const { input } = (upstream.journal.at(-1)?.body ?? { input: [] }) as {
    input: { role: string; content: unknown }[]
  }
  return input.map(({ role, content }) => `${role}: ${readContent(content)}`)
}

function readContent(content: unknown): string {
  if (typeof content === 'string') return content
  return (content as { text?: string }[]).map(({ text = '' }) => text).join('')
}

type Listed = { items: { id: string; title: string }[] }
type Viewed = { messages: { role: string; text: string; status: string }[] }

async function listTalks() {
  return (await ada.get<Listed>('/api/conversations')).body.items
}

async function readTalk(id = ''): Promise<Viewed['messages']> {
  return (await ada.get<Viewed>(`/api/conversations/${id}`)).body.messages
}

test('a window opens, talks, attaches a file and closes; all of it is one conversation on the page too', async () => {
  const window = new ChatWindow(server.url, key)
  await window.open('ada')
  expect(window.sessionId).toMatch(/^session_\d{8}_\d{6}(_\d+)?$/)
  const first = await window.send('What is an engine?')
  expect(first).toEqual({
    success: true,
    response: echoOf('What is an engine?'),
    model: expect.stringContaining('gpt-5-mini'),
    usage: expect.objectContaining({ total_tokens: expect.any(Number) }),
    session_id: window.sessionId,
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
  })
  await window.send('And a difference?')
  expect(lastTold()).toEqual([
    'user: What is an engine?',
    `assistant: ${first.response}`,
    'user: And a difference?',
  ])
  await window.send('Sum this up.', [
    { name: 'notes.md', content: 'Cards ``` and wheels' },
    { name: 'list.txt', content: 'one\ntwo' },
  ])
  const told = lastTold().at(-1)
  expect(told).toContain('Sum this up.')
  expect(told).toContain('notes.md:\n````\nCards ``` and wheels\n````')
  expect(told).toContain('list.txt:\n```\none\ntwo\n```')
  const [talk, ...others] = await listTalks()
  expect(others).toEqual([])
  const messages = await readTalk(talk?.id)
  expect(messages.map(({ role }) => role)).toEqual([
    'user',
    'assistant',
    'user',
    'assistant',
    'user',
    'assistant',
  ])

  const stopped = await window.close()
  expect(stopped).toMatchObject({
    success: true,
    session_id: window.sessionId,
    metrics: { clicks: 6, messages: 3 },
  })
  const lines = readSessionLog(server.sessionLogDir).filter((line) => line.session_id === window.sessionId)
  expect(lines.map(({ event }) => event)).toEqual(['session_start', 'session_stop'])
})

test('a window that remembers otherwise is believed: what it tells is what the model is told, as another branch', async () => {
  const window = new ChatWindow(server.url, key)
  await window.open('ada')
  await window.send('One')
  window.history.splice(0, 2, { role: 'user', content: 'Eins' }, { role: 'assistant', content: 'Zwei' })
  await window.send('Three')
  expect(lastTold()).toEqual(['user: Eins', 'assistant: Zwei', 'user: Three'])
  const [talk] = await listTalks()
  const texts = (await readTalk(talk?.id)).map(({ text }) => text)
  expect(texts).toEqual(['One', echoOf('One'), 'Eins', 'Zwei', 'Three', echoOf('Three')])
  // The same again finds all of it there.
  window.history.length = 2
  await window.send('Three')
  expect((await readTalk(talk?.id)).map(({ text }) => text)).toEqual([...texts, 'Three', echoOf('Three')])
})

test('a client without a history goes on where its session is; without a session each message stands alone', async () => {
  const window = new ChatWindow(server.url, key)
  const say = async (body: object) => (await (await window.call('/api/chat', body)).json()) as Answer
  const name = 'a name of its own'
  await say({ message: 'One', session_id: name })
  await say({ message: 'Two', session_id: name })
  expect(lastTold()).toEqual(['user: One', `assistant: ${echoOf('One')}`, 'user: Two'])
  const alone = await say({ message: 'Three' })
  expect(lastTold()).toEqual(['user: Three'])
  // What it is told goes on with it.
  expect((await say({ message: 'Four', session_id: alone.session_id })).session_id).toBe(alone.session_id)
  expect(lastTold()).toHaveLength(3)
  await say({ message: 'Five', session_id: name, history: [] })
  expect(lastTold()).toEqual(['user: Five'])
})

test('a name is somebody’s own: another’s session of the same name is another conversation', async () => {
  const eve = await signUp(server.url, 'eve')
  const { key: hers } = await makeKey(eve, { scopes: ['chat'] })
  const mine = { message: 'My secret', session_id: 'shared' }
  const { session_id } = (await (
    await new ChatWindow(server.url, key).call('/api/chat', { message: 'Mine too' })
  ).json()) as Answer
  await new ChatWindow(server.url, key).call('/api/chat', mine)
  for (const name of ['shared', session_id]) {
    await new ChatWindow(server.url, hers).call('/api/chat', { message: 'What was said?', session_id: name })
    expect(lastTold()).toEqual(['user: What was said?'])
  }
})

test('two messages to a new session at once make one conversation', async () => {
  const window = new ChatWindow(server.url, key)
  const before = (await listTalks()).length
  const bodies = Array.from({ length: 6 }, (_, n) => ({ message: `Word ${n}`, session_id: 'at once' }))
  const answers = await Promise.all(bodies.map((body) => window.call('/api/chat', body)))
  const statuses = answers.map(({ status }) => status)
  // One is answered at a time, as on the page; the others are told so.
  expect(statuses).toContain(200)
  expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([])
  expect((await listTalks()).length).toBe(before + 1)
})

test.each([
  ['stream: true', { stream: true }, undefined],
  ['an Accept header', {}, 'text/event-stream'],
])('asked for by %s, the answer comes as events, the last of which is done', async (_, more, accept) => {
  upstream.script({ text: ['Hel', 'lo ', 'Ada'] })
  const window = new ChatWindow(server.url, key)
  const events = await readAllData(
    await window.call('/api/chat', { message: 'Hi', ...more }, { ...(accept && { accept }) }),
  )
  expect(events.at(-1)).toEqual({
    done: true,
    usage: expect.objectContaining({ output_tokens: expect.any(Number) }),
  })
  const said = events.slice(0, -1)
  expect(said.map(({ text }) => text).join('')).toBe('Hello Ada')
  for (const event of said) expect(Object.keys(event)).toEqual(['text'])
})

test('a model of one’s own choice answers', async () => {
  const answer = await new ChatWindow(server.url, key).call('/api/chat', {
    message: 'Hi',
    model: 'gpt-5-nano',
  })
  expect(await answer.json()).toMatchObject({ model: expect.stringContaining('gpt-5-nano') })
  expect(upstream.journal.at(-1)?.body).toMatchObject({ model: 'gpt-5-nano' })
})

test('what fails before the first word is an error of HTTP, streamed or not', async () => {
  const window = new ChatWindow(server.url, key)
  for (const stream of [false, true]) {
    upstream.script({ error: 'invalid_api_key' })
    const answer = await window.call('/api/chat', { message: 'Hi', stream })
    expect(answer.status).toBe(502)
    expect(await answer.json()).toMatchObject({
      error: { code: 'provider_auth', request_id: expect.any(String) },
    })
    upstream.reset()
  }
})

test('what fails after it is told in the last event, and what was said is kept', async () => {
  upstream.script({ text: ['A beg', 'inning'], end: 'failed' })
  const window = new ChatWindow(server.url, key)
  const events = await readAllData(
    await window.call('/api/chat', { message: 'Hi', stream: true, session_id: 'breaks' }),
  )
  expect(events.at(-1)).toEqual({
    done: true,
    error: expect.objectContaining({ code: expect.any(String), message: expect.any(String) }),
  })
  const said = events.map(({ text = '' }) => text).join('')
  expect(said).toMatch(/^A beg/)
  const [talk] = await listTalks()
  expect((await readTalk(talk?.id)).at(-1)).toMatchObject({ status: 'failed', text: said })
})

test.each([true, false])('who leaves does not stop the answer (stream: %s)', async (stream) => {
  const words = Array.from({ length: 30 }, (_, n) => `word ${n} `)
  upstream.script({ text: words, delayMs: 20 })
  const gone = new AbortController()
  const window = new ChatWindow(server.url, key)
  const left = window
    .call('/api/chat', { message: 'Go on', stream, session_id: `left ${stream}` }, { signal: gone.signal })
    .catch(() => undefined)
  await expect.poll(() => upstream.journal.length, { timeout: 10_000 }).toBe(1)
  gone.abort()
  await left
  const [talk] = await listTalks()
  await expect
    .poll(async () => (await readTalk(talk?.id)).at(-1), { timeout: 10_000 })
    .toMatchObject({ status: 'completed', text: words.join('') })
})

test('each answer is counted once, as on the page', async () => {
  const used = async () => Number((await ada.get('/api/openai/usage')).body.totals?.requests)
  const before = await used()
  await new ChatWindow(server.url, key).call('/api/chat', { message: 'Count this' })
  expect(await used()).toBe(before + 1)
})

test.each<[string, object, number]>([
  ['no message', {}, 400],
  ['an empty message', { message: '  ' }, 400],
  ['a message too long', { message: 'x'.repeat(200_001) }, 400],
  ['a message that is none', { message: 7 }, 400],
  ['an unknown field', { message: 'Hi', temperature: 1 }, 400],
  ['an unknown role', { message: 'Hi', history: [{ role: 'tool', content: 'x' }] }, 400],
  [
    'a history too long',
    { message: 'Hi', history: Array.from({ length: 401 }, () => ({ role: 'user', content: 'x' })) },
    400,
  ],
  ['a file of nothing', { message: 'Hi', attached_files: [{ name: 'x' }] }, 400],
  ['a file of both', { message: 'Hi', attached_files: [{ name: 'x', content: 'x', file_id: 'x' }] }, 400],
  [
    'a file that is not there',
    { message: 'Hi', attached_files: [{ name: 'x', file_id: crypto.randomUUID() }] },
    404,
  ],
  ['a file id that is none', { message: 'Hi', attached_files: [{ file_id: '../../etc/passwd' }] }, 400],
  ['files too long together', { message: 'Hi', attached_files: [{ content: 'x'.repeat(199_990) }] }, 400],
  ['U+0000', { message: 'a\u0000b' }, 400],
  ['half a character', { message: 'Hi', session_id: 'a\ud800b' }, 400],
  [
    'more than a megabyte',
    {
      message: 'Hi',
      history: Array.from({ length: 6 }, () => ({ role: 'user', content: 'x'.repeat(199_000) })),
    },
    413,
  ],
])('%s is refused with what is wrong, and leaves no conversation', async (_, body, status) => {
  const before = (await listTalks()).length
  const answer = await new ChatWindow(server.url, key).call('/api/chat', body)
  const said = (await answer.json()) as { error: { code: string; issues?: unknown[] } }
  expect(answer.status, JSON.stringify(said)).toBe(status)
  if (status === 400) expect(said.error.issues?.length).toBeGreaterThan(0)
  expect((await listTalks()).length).toBe(before)
  expect(upstream.journal).toEqual([])
})
