import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readRun } from '../../scripts/canary.mjs'
import { canaryFolder } from '../support/canary/record'
import { requireNoLeak, searchFiles } from '../support/canary/remains'
import { Searcher } from '../support/canary/searcher'
import { followToEnd, openTalk, send, type Talk, view } from '../support/chat'
import { Client, signUp } from '../support/client'
import { createScratchDatabase } from '../support/database'
import { layLine } from '../support/database-line'
import { type RawServer, startHttp } from '../support/raw-server'
import { listRoutes } from '../support/route-files'
import { startServer, type TestServer } from '../support/server'

/*
 * Known secrets in every place that a caller can put one, on every route, as every sort of caller; then in the mouth of
 * a provider, in pages, and while the database is away. What the server says is searched by this file and by the watch
 * (tests/support/canary), which also looks into its log, its database and its files.
 */

/** Long enough that a part of each would be found too. */
const canary = (name: string) => `sk-test-${name}-${createHash('sha256').update(name).digest('base64url')}`

const secrets = {
  OPENAI_API_KEY: canary('environment'),
  PAPITA_API_TOKEN: canary('papita'),
  ACCESS_KEY: canary('access'),
  METRICS_TOKEN: canary('metrics'),
}
const providerKey = canary('vault')
const password = canary('password')
const all = [...Object.values(secrets), providerKey, password]
const searcher = new Searcher(all.map((value) => ({ kind: 'provider-key', value })))

let server: TestServer
let upstream: RawServer
/** What the provider answers, given the key that it was called with. */
let answer: (key: string, request: IncomingMessage, response: ServerResponse) => void
/** The key that the provider was last called with. */
let asked = ''
let talk: Talk
let ids: Record<string, string>
let byKey: Client

beforeAll(async () => {
  upstream = await startHttp((request, response) => {
    asked = String(request.headers.authorization).replace(/^Bearer /, '')
    answer(asked, request, response)
  })
  answer = (_key, _request, response) => response.writeHead(500).end()
  server = await startServer({
    ...secrets,
    DATABASE_URL: '',
    OPENAI_BASE_URL: upstream.baseUrl,
    LOG_LEVEL: 'trace',
  })
  talk = await openTalk(server.url, { model_provider: 'openai' })
  const kept = await talk.user.post('/api/credentials', {
    credentialType: 'openai',
    baseUrl: upstream.baseUrl,
    label: 'Mine',
    credentials: { api_key: providerKey },
  })
  expect(kept.status, kept.text).toBe(201)
  const sessions = (await talk.user.get<{ items: { id: string }[] }>('/api/auth/sessions')).body
  ids = {
    projectId: talk.projectId,
    agentId: talk.agentId,
    conversationId: talk.conversationId,
    credentialId: String(kept.body.id),
    sessionId: String(sessions.items[0]?.id),
    userId: talk.user.userId,
    version: '1',
  }
  const scopes = ['chat', 'portal:read', 'portal:write']
  const made = await talk.user.post('/api/keys', { name: 'A program', scopes })
  expect(made.status, made.text).toBe(201)
  byKey = new Client(server.url, String(made.body.key))
})
afterAll(async () => {
  await server.close()
  await upstream.close()
})

/** Whatever an answer says, in its status line, its headers and its body, as far as it came. */
async function listen(path: string, init: RequestInit): Promise<{ status: number; said: string }> {
  const response = await fetch(server.url + path, {
    redirect: 'manual',
    ...init,
    signal: AbortSignal.timeout(3000),
  })
  const head = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n')
  const isEndless = response.headers.get('content-type')?.startsWith('text/event-stream')
  // Streams of events are searched by the watch as they go out.
  if (isEndless) await response.body?.cancel()
  return { status: response.status, said: `${head}\n\n${isEndless ? '' : await response.text()}` }
}

/** A model server's own 500 comes through the gateway as it is; ours is `internal`, or no error of any dialect. */
function isOwnFault(status: number, said: string): boolean {
  return status === 500 && !(/"type":"server_error"/.test(said) && !/"code":"internal"/.test(said))
}

function expectNothingTold(said: string, about: string): void {
  expect(
    searcher.find(Buffer.from(said)).map(({ around, form }) => `${form}: ${around}`),
    about,
  ).toEqual([])
}

const nobody = '01890000-0000-7000-8000-000000000000'
const query = `?api_key=${secrets.ACCESS_KEY}&limit=${secrets.METRICS_TOKEN}&cursor=${secrets.OPENAI_API_KEY}&after=${providerKey}`

/** The addresses of a route: about things of the caller's, and with a secret in the place of each id. */
function addressesOf(route: string): string[] {
  const fill = (id: (name: string) => string) =>
    route.replace(/\[+(?:\.\.\.)?(\w+)\]+/g, (_, name) => id(name))
  return [fill((name) => ids[name] ?? nobody) + query, fill(() => providerKey)]
}

const fields = {
  email: 'someone@example.com',
  password,
  current: password,
  next: password,
  access_key: secrets.ACCESS_KEY,
  api_key: providerKey,
  credentialType: 'openai',
  credentials: { api_key: providerKey, token: secrets.PAPITA_API_TOKEN },
  [secrets.METRICS_TOKEN]: true,
}
const json = { 'content-type': 'application/json' }
const bodies: [string, Record<string, string>, string][] = [
  ['more fields than there are', json, JSON.stringify(fields)],
  ['each a list', json, JSON.stringify(Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, [v]])))],
  ['JSON that breaks off', json, `{"api_key":"${providerKey}","password":"${password}",`],
  ['a string', json, JSON.stringify(providerKey)],
  ['no JSON', { 'content-type': 'text/plain' }, `${password} ${providerKey}`],
  [
    'a form',
    { 'content-type': 'application/x-www-form-urlencoded' },
    `password=${password}&api_key=${providerKey}`,
  ],
]

const noBody: [string, Record<string, string>, undefined][] = [['no body', {}, undefined]]
/** Who signs out is somebody else from then on. */
const walked = listRoutes().filter((route) => route !== '/api/auth/logout')

const callers: [string, () => Record<string, string>][] = [
  ['nobody', () => ({})],
  ['a person', () => ({ authorization: `Bearer ${talk.user.token}` })],
  ['a program with a key', () => ({ 'x-api-key': String(byKey.token) })],
  ['someone with a provider’s key', () => ({ authorization: `Bearer ${providerKey}` })],
  ['someone with a password', () => ({ authorization: `Basic ${btoa(`me:${password}`)}` })],
  ['someone with a cookie', () => ({ cookie: `al_session=${secrets.ACCESS_KEY}` })],
  ['someone with the server’s own key', () => ({ 'x-api-key': secrets.OPENAI_API_KEY })],
  ['someone who calls it by a key', () => ({ 'x-request-id': secrets.ACCESS_KEY })],
]

describe.each(callers)('a secret in a request of %s is told to nobody', (_, headersOf) => {
  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])('%s on every route', async (method) => {
    let count = 0
    for (const route of walked)
      for (const address of addressesOf(route)) {
        // What is there is needed by the calls that come after.
        const path = method === 'DELETE' ? route.replace(/\[.*?\]+/g, nobody) : address
        for (const [about, headers, body] of method === 'GET' || method === 'DELETE' ? noBody : bodies) {
          const { status, said } = await listen(path, {
            method,
            body,
            headers: { ...headersOf(), ...headers },
          })
          expect(isOwnFault(status, said), `${method} ${route}, ${about}`).toBe(false)
          expectNothingTold(said, `${method} ${route}, ${about}`)
          count += 1
          // Nothing more is read then.
          if (status === 401 || status === 405) break
        }
      }
    expect(count).toBeGreaterThan(50)
  })
})

const encoded = (key: string) => Buffer.from(key).toString('base64')
const failing: [string, typeof answer][] = [
  [
    'repeats the key in a 401',
    (key, _, response) => {
      const error = {
        message: `Incorrect API key provided: ${key}. You can find yours online.`,
        type: key,
        code: key,
      }
      response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
    },
  ],
  [
    'repeats a part of the key',
    (key, _, response) => {
      const error = {
        message: `Incorrect API key provided: ${key.slice(0, 40)}********`,
        code: 'invalid_api_key',
      }
      response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
    },
  ],
  [
    'repeats the key in base64',
    (key, _, response) => {
      const error = { message: `Basic ${encoded(key)} is not valid`, code: 'invalid_api_key' }
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
    },
  ],
  [
    'fails with a page that holds the key',
    (key, request, response) => {
      const page = `<html><title>502</title><pre>${request.rawHeaders.join('\n')} ${key}</pre></html>`
      response.writeHead(502, { 'content-type': 'text/html' }).end(page)
    },
  ],
  [
    'puts the key into headers',
    (key, _, response) =>
      response
        .writeHead(429, { 'retry-after': key, 'x-request-id': key, 'openai-organization': key })
        .end('{}'),
  ],
  [
    'leads elsewhere with the key',
    (key, _, response) => response.writeHead(302, { location: `/?k=${key}` }).end(),
  ],
  [
    'fails in the middle with the key',
    (key, _, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const error = { type: 'error', code: 'server_error', message: `no such key: ${key}`, param: key }
      response.end(`event: error\ndata: ${JSON.stringify(error)}\n\n`)
    },
  ],
  [
    'sends no events but the key',
    (key, _, response) =>
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(`data: {"${key}": \n\n:${key}\n\n`),
  ],
  ['speaks no HTTP', (key, _, response) => response.socket?.end(`HTTP/1.1 999 ${key}\r\n${key}\r\n\r\n`)],
  ['hangs up', (_key, _, response) => response.destroy()],
]

test.each(failing)('a provider that %s tells it to nobody', async (_, how) => {
  answer = how
  asked = ''
  const tested = await talk.user.post(`/api/credentials/${ids.credentialId}/test`)
  expectNothingTold(tested.text, 'the test of the key')
  const { reply } = await send(talk, 'hello', (await view(talk)).conversation.current_message_id)
  const events = await followToEnd(talk.user, reply.events_url)
  expect(events.at(-1)?.type).toBe('failed')
  expect(asked).toBe(providerKey)
  expectNothingTold(JSON.stringify(events), 'the events')
  for (const path of [`/api/conversations/${talk.conversationId}`, '/api/credentials', '/api/health'])
    expectNothingTold((await talk.user.get(path)).text, path)
})

test('no page tells a secret, as HTML or as what a page fetches', async () => {
  const chat = `/chat/${talk.agentId}/${talk.conversationId}`
  const pages = [
    '/',
    '/login',
    '/register',
    '/dashboard',
    '/vault',
    '/keys',
    '/settings',
    '/projects',
    '/admin/audit',
  ]
  for (const page of [
    ...pages,
    `/projects/${talk.projectId}`,
    `/chat/${talk.agentId}`,
    chat,
    '/no-such-page',
  ])
    for (const headers of [{}, { rsc: '1' }] as Record<string, string>[])
      for (const cookie of ['', `al_session=${talk.user.token}`, `al_session=${providerKey}`]) {
        const { status, said } = await listen(page, { headers: { ...headers, ...(cookie && { cookie }) } })
        expect(status, page).toBeLessThan(500)
        expectNothingTold(said, page)
        expect(said, page).not.toContain(String(talk.user.token))
      }
})

test('the sign-in form does not come back with the password in it', async () => {
  const form = new FormData()
  form.set('email', 'nobody@example.com')
  form.set('password', password)
  const page = await (await fetch(`${server.url}/login`)).text()
  for (const [, name = '', value = ''] of page.matchAll(
    /<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?/g,
  ))
    form.set(name, value.replaceAll('&quot;', '"'))
  const { status, said } = await listen('/login', {
    method: 'POST',
    body: form,
    headers: { origin: server.url },
  })
  expect(status).toBe(200)
  expect(said).toContain('Email or password is wrong.')
  expectNothingTold(said, 'the form')
})

test('while the database is away, no error and no log line tells a secret', async () => {
  const database = await createScratchDatabase()
  const line = await layLine(database.url)
  const apart = await startServer({ ...secrets, DATABASE_URL: line.url, LOG_LEVEL: 'trace' })
  const user = await signUp(apart.url)
  line.cut()
  const credential = { credentialType: 'openai', credentials: { api_key: providerKey } }
  const calls = [
    user.post('/api/credentials', credential),
    user.post('/api/auth/login', { email: user.email, password }),
    user.post('/api/auth/register', { email: 'other@example.com', password }),
    user.post('/api/auth/password', { current: password, next: password }),
    user.post('/api/keys', { name: 'A program', scopes: ['chat'] }),
    user.get('/api/health'),
  ]
  for (const { status, text } of await Promise.all(calls)) {
    expect(status).toBeGreaterThanOrEqual(500)
    expectNothingTold(text, 'an error')
  }
  line.mend()
  expectNothingTold(apart.output(), 'the log')
  await apart.close()
  await line.close()
  await database.drop()
})

test('what the server leaves behind holds no secret: log, database, its files and its write-ahead log', async () => {
  expect((await talk.user.delete(`/api/credentials/${ids.credentialId}`)).status).toBe(204)
  expectNothingTold(server.output(), 'the log')
  expect(server.output()).toContain('"level":"')
  expect(await server.stop()).toBe(0)
  // Also what was deleted or is not yet in its table.
  searchFiles(server.dataDir, server.dataDir, ['/postgres/reserve'])
  requireNoLeak(server.dataDir)
  const watch = readRun(canaryFolder() ?? '')
  expect(watch.counts.files).toBeGreaterThan(500)
  expect(readFileSync(`${server.dataDir}/vault-key`, 'utf8').length).toBeGreaterThanOrEqual(32)
})
