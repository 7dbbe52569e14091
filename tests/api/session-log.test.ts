import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ChatWindow } from '../support/chat-window'
import { Client, type Json, signUp } from '../support/client'
import { createScratchDatabase } from '../support/database'
import { makeOwnFolder } from '../support/own-folder'
import { startServer, type TestServer } from '../support/server'
import { listLogFiles, readSessionLog } from '../support/session-log'

let server: TestServer
let admin: Awaited<ReturnType<typeof signUp>>

beforeAll(async () => {
  server = await startServer({ TZ: 'America/St_Johns' })
  admin = await signUp(server.url, 'admin')
})
afterAll(() => server.close())

const eventsOf = (sessionId: string) =>
  readSessionLog(server.sessionLogDir).filter((line) => line.session_id === sessionId)

test('a ChatWindow of the Flask days works with nothing but another base URL', async () => {
  const user = await signUp(server.url)
  const window = new ChatWindow(server.url, user.token ?? '', 'flask user')
  const sessionId = await window.open()
  expect(sessionId).toMatch(/^session_\d{8}_\d{6}(_\d+)?$/)
  await window.note({ messages_sent: 3, response_times: [0.4, 1.2] })
  const ended = await window.close({ messages_sent: 4, closed_by: 'window' })
  expect(ended).toMatchObject({
    success: true,
    session_id: sessionId,
    metrics: { messages_sent: 4, closed_by: 'window', response_times: [0.4, 1.2], messages: 0 },
  })
  expect(Number(ended.duration_seconds)).toBeGreaterThan(0)
  expect(await window.close({ messages_sent: 9 })).toEqual(ended)
  expect(eventsOf(sessionId).map(({ event, username }) => [event, username])).toEqual([
    ['session_start', 'flask user'],
    ['metric', 'flask user'],
    ['session_stop', 'flask user'],
  ])
})

test('a session is named in the server’s local time, and told in UTC', async () => {
  const { body } = await admin.post('/api/session/start')
  const at = new Date(String(body.timestamp))
  const parts = new Intl.DateTimeFormat('sv', {
    timeZone: 'America/St_Johns',
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(at)
  const [day = '', time = ''] = parts.split(' ')
  expect(String(body.session_id)).toContain(`session_${day.replaceAll('-', '')}_${time.replaceAll(':', '')}`)
  expect(eventsOf(String(body.session_id))).toMatchObject([{ date: day, timestamp: body.timestamp }])
})

test('an API key with the scope chat begins and ends sessions of its owner', async () => {
  const user = await signUp(server.url)
  const made = await user.post('/api/keys', { name: 'Window', scopes: ['chat'] })
  const window = new ChatWindow(server.url, String(made.body.key), user.email)
  const sessionId = await window.open()
  await window.close()
  const { items } = (await user.get('/api/sessions')).body as { items: Json[] } & Json
  expect(items.map(({ session_id }) => session_id)).toEqual([sessionId])
})

test('what is wrong is said in the portal’s dialect, and leaves no line', async () => {
  const user = await signUp(server.url)
  const before = readSessionLog(server.sessionLogDir).length
  const faulty: [string, unknown, number][] = [
    ['/api/session/start', { username: 7 }, 400],
    ['/api/session/start', { username: 'a\u0000b' }, 400],
    ['/api/session/start', { metadata: [] }, 400],
    ['/api/session/start', { unknown: 1 }, 400],
    ['/api/session/start', null, 400],
    ['/api/session/metric', { session_id: 'session_20200101_000000' }, 400],
    ['/api/session/metric', { session_id: 'session_20200101_000000', metrics: {} }, 404],
    ['/api/session/stop', { session_id: 'nonsense' }, 404],
    ['/api/session/stop', {}, 400],
    [
      '/api/session/stop',
      { session_id: 'session_20200101_000000', metrics: { big: 'x'.repeat(17_000) } },
      400,
    ],
  ]
  for (const [path, body, status] of faulty) {
    const answer = await user.post(path, body)
    expect(answer.status, `${path} ${JSON.stringify(body)?.slice(0, 80)}: ${answer.text}`).toBe(status)
    expect(answer.body.error?.code).toBe(status === 404 ? 'not_found' : 'invalid_input')
  }
  const text = { headers: { 'content-type': 'text/plain' }, rawBody: '{}' }
  expect((await user.call('POST', '/api/session/stop', text)).status).toBe(415)
  const deep = `{"metadata":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`
  expect((await user.call('POST', '/api/session/start', { rawBody: deep })).status).toBe(400)
  const proto = '{"metadata":{"__proto__":{"admin":true},"constructor":1}}'
  const { status, body } = await user.call('POST', '/api/session/start', { rawBody: proto })
  expect(status).toBe(200)
  const { body: view } = await user.get(`/api/sessions/${body.session_id}`)
  expect(Object.keys(view.metadata ?? {}).sort()).toEqual(['__proto__', 'constructor'])
  expect(readSessionLog(server.sessionLogDir)).toHaveLength(before + 1)
})

test('one session and one day can be downloaded as the lines that they are', async () => {
  const user = await signUp(server.url)
  const { body } = await user.post('/api/session/start')
  const sessionId = String(body.session_id)
  await user.post('/api/session/stop', { session_id: sessionId })
  const own = await user.get(`/api/sessions/${sessionId}/log`)
  expect(own.headers.get('content-disposition')).toBe(`attachment; filename="${sessionId}.jsonl"`)
  const lines = own.text.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toEqual(eventsOf(sessionId))
  const file = listLogFiles(server.sessionLogDir).at(-1) ?? ''
  const day = await admin.get(`/api/sessions/log?day=${file.slice('session_'.length, -'.log'.length)}`)
  expect(day.text).toBe(readFileSync(join(server.sessionLogDir, file), 'utf8'))
  expect((await admin.get('/api/sessions/log?day=../../etc/passwd')).status).toBe(400)
  expect((await user.get('/api/sessions/log?day=2026-11-21')).status).toBe(403)
})

test('after a kill in the middle of 200 starts, each that was acknowledged is one line and one session', async () => {
  const own = await startServer()
  try {
    for (const count of [20, 120]) await killInStarts(own, count)
  } finally {
    await own.close()
  }
})

/** Kills the server once so many starts were acknowledged, and starts it again. */
async function killInStarts(first: TestServer, count: number): Promise<void> {
  const user = await signUp(first.url)
  const acknowledged: string[] = []
  const starts = Array.from({ length: 200 }, () =>
    user.post('/api/session/start').then(
      ({ status, body }) => status === 200 && acknowledged.push(String(body.session_id)),
      () => undefined,
    ),
  )
  while (acknowledged.length < count) await sleep(1)
  await first.kill()
  await Promise.all(starts)
  const again = await first.restart()
  const member = new Client(again.url, user.token)
  const listed = await listAll(member)
  const logged = readWhole(again.sessionLogDir)
  for (const sessionId of acknowledged) expect(logged.filter((id) => id === sessionId)).toHaveLength(1)
  expect(new Set(logged).size).toBe(logged.length)
  // The database knows what the log says, and nothing else.
  const mine = new Set(listed)
  expect(listed.filter((id) => !logged.includes(id))).toEqual([])
  expect(acknowledged.filter((id) => !mine.has(id))).toEqual([])
  Object.assign(first, again)
}

test('two servers on one folder and one database: no line torn, no name twice, one stop', async () => {
  const folder = makeOwnFolder('two-servers')
  const database = await createScratchDatabase()
  const env = {
    DATABASE_URL: database.url,
    SESSION_LOG_DIR: join(folder.path, 'SessionLog'),
    AUTH_SECRET: 's'.repeat(32),
    VAULT_KEY: 'v'.repeat(32),
  }
  const servers = [await startServer(env), await startServer(env)]
  try {
    const user = await signUp(servers[0]?.url ?? '')
    const clients = servers.map(({ url }) => new Client(url, user.token))
    const metrics = { text: 'long '.repeat(2000) }
    const begun = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const { body, text } = await clientOf(clients, n).post('/api/session/start')
        expect(body.session_id, text).toBeTruthy()
        const session_id = String(body.session_id)
        await clientOf(clients, n + 1).post('/api/session/metric', { session_id, metrics })
        const stops = await Promise.all(
          clients.map((client) => client.post('/api/session/stop', { session_id })),
        )
        expect(stops.map(({ status }) => status)).toEqual([200, 200])
        expect(stops[0]?.body).toEqual(stops[1]?.body)
        return session_id
      }),
    )
    expect(new Set(begun).size).toBe(100)
    const events = readSessionLog(env.SESSION_LOG_DIR)
    expect(events).toHaveLength(300)
    for (const sessionId of begun) {
      const own = events.filter((line) => line.session_id === sessionId).map(({ event }) => event)
      expect(own).toEqual(['session_start', 'metric', 'session_stop'])
    }
  } finally {
    await Promise.all(servers.map((each) => each.close()))
    await database.drop()
    folder.remove()
  }
})

test('a server whose folder of session logs cannot be written to says so and does not start', async () => {
  const folder = makeOwnFolder('in-the-way')
  mkdirSync(folder.path, { recursive: true })
  const file = join(folder.path, 'file')
  writeFileSync(file, '')
  try {
    await expect(startServer({ SESSION_LOG_DIR: file })).rejects.toThrow(
      /SESSION_LOG_DIR, cannot be written to/,
    )
  } finally {
    folder.remove()
  }
})

const clientOf = (clients: Client[], n: number) => clients[n % clients.length] as Client

async function listAll(client: Client): Promise<string[]> {
  const ids: string[] = []
  for (let cursor = ''; ; ) {
    const { body } = await client.get(`/api/sessions?limit=100${cursor && `&cursor=${cursor}`}`)
    const { items, next_cursor } = body as unknown as { items: Json[]; next_cursor: string | null }
    ids.push(...items.map(({ session_id }) => String(session_id)))
    if (next_cursor === null) return ids
    cursor = next_cursor
  }
}

/** The sessions that whole lines begin; a kill may tear the last one. */
function readWhole(folder: string): string[] {
  return listLogFiles(folder).flatMap((file) =>
    readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => String(JSON.parse(line).session_id)),
  )
}
