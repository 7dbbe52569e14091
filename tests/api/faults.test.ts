import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { follow, followToEnd, openTalk, send, type Talk } from '../support/chat'
import { Client, type Json, password, signUp } from '../support/client'
import { createScratchDatabase } from '../support/database'
import { startServer, type TestServer } from '../support/server'

/*
 * What no form of ours sends, and callers do: each is the caller's fault and is said to be, never a 500.
 */

let server: TestServer
let talk: Talk

beforeAll(async () => {
  server = await startServer({
    AUTH_SECRET: 'a secret of the tests, long enough',
    VAULT_KEY: 'a vault key of the tests, long enough',
  })
  talk = await openTalk(server.url)
})
afterAll(() => server.close())

/** What an answer complains of. */
function issuePaths(body: Json): string[] {
  const issues = (body.error?.issues ?? []) as unknown as { path: string }[]
  return issues.map(({ path }) => path)
}
const base64url = (text: string) => Buffer.from(text).toString('base64url')

describe('characters that cannot be stored', () => {
  test.each(['email', 'username'])(
    'in the %s of a sign-in: an unknown account like any other',
    async (field) => {
      const visitor = new Client(server.url)
      const odd = await visitor.post('/api/auth/login', { [field]: `${talk.user.email}\u0000`, password })
      const unknown = await visitor.post('/api/auth/login', { [field]: 'nobody@example.com', password })
      expect([odd.status, odd.body.error?.message]).toEqual([401, unknown.body.error?.message])
    },
  )

  test.each([
    ['\u0000', 'U+0000'],
    ['\ud800', 'a lone surrogate'],
  ])('in the email of a new member: 400 (%#)', async (character) => {
    const email = `ada${character}@example.com`
    const { status, body } = await talk.user.post(`/api/projects/${talk.projectId}/members`, {
      email,
      role: 'viewer',
    })
    expect(status).toBe(400)
    expect(issuePaths(body)).toEqual(['email'])
  })

  test('in what is looked for: 400', async () => {
    const { status, body } = await talk.user.get('/api/conversations?query=a%00')
    expect(status).toBe(400)
    expect(issuePaths(body)).toEqual(['query'])
  })

  test('in the address of a key: 400', async () => {
    const { status, body } = await talk.user.post('/api/credentials', {
      credentialType: 'openai-compatible',
      baseUrl: 'http://127.0.0.1:9/v1\u0000',
      credentials: { api_key: 'sk-test-of-faults' },
    })
    expect(status).toBe(400)
    expect(issuePaths(body)).toEqual(['baseUrl'])
  })
})

describe('a cursor that no list gave is refused', () => {
  const moment = '2026-01-01T00:00:00.000Z'
  const cursors = [
    'x',
    base64url(`${moment} ${'-'.repeat(36)}`),
    base64url(`-010000-01-01T00:00:00.000Z ${newId()}`),
    base64url(`9999999999999999.${newId()}`),
    base64url(`${Date.parse(moment)}.${'-'.repeat(36)}`),
  ]
  test.each(['/api/conversations', '/api/projects', '/api/credentials'])('by %s', async (path) => {
    for (const cursor of cursors) {
      const { status, body } = await talk.user.get(`${path}?cursor=${cursor}`)
      expect(status, Buffer.from(cursor, 'base64url').toString()).toBe(400)
      expect(issuePaths(body)).toEqual(['cursor'])
    }
  })
})

describe('tools of an agent', () => {
  const nest = (depth: number) => `{"tools":[{"a":${'['.repeat(depth)}${']'.repeat(depth)}}]}`
  const patch = (rawBody: string) => talk.user.call('PATCH', `/api/agents/${talk.agentId}`, { rawBody })

  test.each([33, 3000, 200_000])('nested %i deep are refused', async (depth) => {
    const { status, body } = await patch(nest(depth))
    expect(status).toBe(400)
    expect(issuePaths(body)).toEqual(['tools'])
  })

  test('as deep as a schema goes are kept', async () => {
    expect((await patch(nest(28))).status).toBe(200)
  })
})

describe('a query', () => {
  test('with an after that is no number of an event is refused, not read as some number', async () => {
    const { reply } = await send(talk, 'Hello')
    const all = await followToEnd(talk.user, reply.events_url)
    for (const after of ['2147483648', '', '1e3', '-2', '0x10', '1.5']) {
      const { status, body } = await talk.user.get(`${reply.events_url}?after=${after}`)
      expect(status, after).toBe(400)
      expect(issuePaths(body)).toEqual(['after'])
    }
    expect(await followToEnd(talk.user, reply.events_url, -1)).toEqual(all)
    expect((await talk.user.get(`${reply.events_url}?after=2147483647`)).status).toBe(200)
  })

  const lists = ['/api/projects', '/api/conversations', '/api/credentials', '/api/auth/sessions']
  test.each(lists)('of %s: a limit that is none, or a name that is not known, is refused', async (path) => {
    for (const query of ['limit=', 'limit=0', 'limit=101', 'limit=1e1', 'limit=%201', 'cursor=', 'wat=1'])
      expect((await talk.user.get(`${path}?${query}`)).status, query).toBe(400)
    expect((await talk.user.get(`${path}?limit=100`)).status).toBe(200)
  })
})

describe('ids in upper case', () => {
  test('stop the very reply', async () => {
    const { reply } = await send(talk, '/long')
    for await (const _ of follow(talk.user, reply.events_url)) break
    expect((await talk.user.delete(`/api/replies/${reply.id.toUpperCase()}`)).status).toBe(202)
    const events = await followToEnd(talk.user, reply.events_url)
    expect(events.at(-1)?.type).toBe('stopped')
  })

  test('name the same message', async () => {
    const id = newId()
    const first = await send(talk, 'Once', null, id.toUpperCase())
    expect(first.message.id).toBe(id)
    expect((await send(talk, 'Once', null, id)).reply.id).toBe(first.reply.id)
  })
})

test('keys come page by page, newest first', async () => {
  const keeper = await signUp(server.url)
  const made: string[] = []
  for (let number = 0; number < 5; number++) {
    const credentials = { api_key: `sk-test-of-faults-${number}` }
    const { body } = await keeper.post('/api/credentials', { credentialType: 'openai', credentials })
    made.unshift(String(body.id))
  }
  const seen: string[][] = []
  for (let cursor: unknown = ''; cursor !== null; ) {
    const { body } = await keeper.get(`/api/credentials?limit=2${cursor ? `&cursor=${cursor}` : ''}`)
    seen.push((body.items as unknown as Json[]).map(({ id }) => String(id)))
    cursor = body.next_cursor
  }
  expect(seen).toEqual([made.slice(0, 2), made.slice(2, 4), made.slice(4)])
})

test('with database and secrets from outside, storage is healthy all the same', async () => {
  const database = await createScratchDatabase()
  const outside = await startServer({
    DATABASE_URL: database.url,
    AUTH_SECRET: 'a secret of the tests, long enough',
    VAULT_KEY: 'a vault key of the tests, long enough',
  })
  try {
    const { body } = await new Client(outside.url).get('/api/health')
    expect(body.checks?.storage).toEqual({ status: 'healthy' })
  } finally {
    await outside.close()
    await database.drop()
  }
})

test.each(['/api', '/api/', '/api/openai', '/api/not/there'])('%s is not there in JSON', async (path) => {
  const { status, headers, body } = await fetchFollowing(path)
  expect([status, body.error?.code]).toEqual([404, 'not_found'])
  expect(body.error?.request_id).toBe(headers.get('x-request-id'))
})

async function fetchFollowing(path: string) {
  const answer = await new Client(server.url).get(path)
  const moved = answer.headers.get('location')
  return moved ? new Client(server.url).get(moved) : answer
}
