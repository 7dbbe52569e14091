import { connect } from 'node:net'
import { Client as Postgres } from 'pg'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTalk } from '../support/chat'
import { Client, signUp } from '../support/client'
import { createScratchDatabase, type ScratchDatabase } from '../support/database'
import { makeKey, withKey } from '../support/keys'
import { startServer, type TestServer } from '../support/server'

let database: ScratchDatabase
let server: TestServer
let admin: Awaited<ReturnType<typeof signUp>>

beforeAll(async () => {
  database = await createScratchDatabase()
  server = await startServer({ DATABASE_URL: database.url, LOG_LEVEL: 'trace' })
  admin = await signUp(server.url, 'admin')
})
afterAll(async () => {
  await server.close()
  await database.drop()
})

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()

test('making a key answers with its record and, this once, the key', async () => {
  const user = await signUp(server.url)
  const project = await user.post('/api/projects', { name: 'Project' })
  const wish = {
    name: ' Nightly report ',
    scopes: ['portal:read', 'chat'],
    project_id: project.body.id,
    expires_at: inAnHour(),
    budget_usd: 12.5,
    budget_period: 'month',
    allowed_models: ['gpt-5*'],
    requests_per_minute: 60,
    tokens_per_minute: 100_000,
    fallback_credentials: true,
    fallback_models: ['gpt-5-mini'],
    cache_seconds: 300,
  }
  const { status, body } = await user.post('/api/keys', wish)
  expect(status).toBe(201)
  const { key, ...record } = body
  expect(key).toMatch(/^alc_[0-9A-Za-z]{49}$/)
  expect(record).toEqual({
    ...wish,
    name: 'Nightly report',
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    last4: String(key).slice(-4),
    spent_usd: 0,
    created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    last_used_at: null,
  })
  expect((await user.get('/api/keys')).body).toEqual({ items: [record], next_cursor: null })
  expect((await user.get(`/api/keys/${record.id}`)).body).toEqual(record)
})

test('of a key, what it is called and may do in the gateway can be changed, piece by piece', async () => {
  const user = await signUp(server.url)
  const { key: _, ...made } = await makeKey(user, { scopes: ['gateway'], budget_usd: 5 })
  const path = `/api/keys/${made.id}`
  const change = { name: ' Renamed ', allowed_models: ['gpt-5*'], budget_usd: null, cache_seconds: 60 }
  const { status, body } = await user.patch(path, change)
  expect(status).toBe(200)
  expect(body).toEqual({ ...made, ...change, name: 'Renamed', spent_usd: null })
  expect((await user.get(path)).body).toEqual(body)
  expect((await user.get('/api/keys')).body.items).toEqual([body])
})

test.each([
  [{ name: '' }, 'name'],
  [{ scopes: ['chat'] }, ''],
  [{ budget_usd: 0 }, 'budget_usd'],
  [{ budget_period: 'week' }, 'budget_period'],
  [{ allowed_models: ['gpt-5', '*gpt'] }, 'allowed_models.1'],
  [{ fallback_models: ['gpt-5', 'gpt-5'] }, 'fallback_models'],
  [{ requests_per_minute: 0.5 }, 'requests_per_minute'],
  [{ cache_seconds: -1 }, 'cache_seconds'],
])('a change with a fault is told which, and changes nothing: %j', async (wish, path) => {
  const { key: _, ...made } = await makeKey(admin, { scopes: ['gateway'] })
  const { status, body } = await admin.patch(`/api/keys/${made.id}`, { cache_seconds: 60, ...wish })
  expect([status, body.error?.code]).toEqual([400, 'invalid_input'])
  expect(body.error?.issues).toEqual([expect.objectContaining({ path })])
  expect((await admin.get(`/api/keys/${made.id}`)).body).toEqual(made)
})

test.each([
  [{}, 'name'],
  [{ name: '', scopes: ['chat'] }, 'name'],
  [{ name: 'x'.repeat(121), scopes: ['chat'] }, 'name'],
  [{ name: 'two\nlines', scopes: ['chat'] }, 'name'],
  [{ name: 'x', scopes: [] }, 'scopes'],
  [{ name: 'x', scopes: ['chat', 'chat'] }, 'scopes'],
  [{ name: 'x', scopes: ['everything'] }, 'scopes.0'],
  [{ name: 'x', scopes: 'chat' }, 'scopes'],
  [{ name: 'x', scopes: ['chat'], project_id: 'mine' }, 'project_id'],
  [{ name: 'x', scopes: ['chat'], expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
  [{ name: 'x', scopes: ['chat'], expires_at: 'tomorrow' }, 'expires_at'],
  [{ name: 'x', scopes: ['chat'], expires_at: 4102444800 }, 'expires_at'],
  [{ name: 'x', scopes: ['chat'], budget_usd: 0 }, 'budget_usd'],
  [{ name: 'x', scopes: ['chat'], budget_usd: -1 }, 'budget_usd'],
  [{ name: 'x', scopes: ['chat'], budget_usd: 1e9 }, 'budget_usd'],
  [{ name: 'x', scopes: ['chat'], budget_usd: '5' }, 'budget_usd'],
  [{ name: 'x', scopes: ['chat'], user_id: newId() }, ''],
])('a wish with a fault is told which: %j', async (wish, path) => {
  const { status, body } = await admin.post('/api/keys', wish)
  expect([status, body.error?.code]).toEqual([400, 'invalid_input'])
  const issues = body.error?.issues as unknown as { path: string }[]
  expect(issues.map((issue) => issue.path)).toContain(path)
})

test('twenty keys made at once are twenty keys, listed page by page, each once', async () => {
  const user = await signUp(server.url)
  const made = await Promise.all(
    Array.from({ length: 20 }, (_, n) => makeKey(user, { name: `Key ${n}`, scopes: ['portal:read'] })),
  )
  expect(new Set(made.map(({ key }) => key)).size).toBe(20)
  const answers = await Promise.all(made.map((key) => withKey(user, key).get('/api/projects')))
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  const ids: string[] = []
  for (let cursor = ''; ids.length < 40; ) {
    const { body } = await user.get(`/api/keys?limit=7${cursor && `&cursor=${cursor}`}`)
    ids.push(...(body.items as unknown as { id: string }[]).map(({ id }) => id))
    if (body.next_cursor === null) break
    cursor = String(body.next_cursor)
  }
  expect(ids.toSorted()).toEqual(made.map(({ id }) => id).toSorted())
})

test('a key that is revoked is dead, in no list, and cannot be revoked again, nor by another', async () => {
  const [user, other] = [await signUp(server.url), await signUp(server.url)]
  const key = await makeKey(user, { scopes: ['portal:read'] })
  expect((await other.delete(`/api/keys/${key.id}`)).status).toBe(404)
  expect((await withKey(user, key).get('/api/projects')).status).toBe(200)
  expect((await user.delete(`/api/keys/${key.id}`)).status).toBe(204)
  const { status, body } = await withKey(user, key).get('/api/projects')
  expect([status, body.error?.code]).toEqual([401, 'unauthenticated'])
  expect((await user.get('/api/keys')).body.items).toEqual([])
  expect((await user.delete(`/api/keys/${key.id}`)).status).toBe(404)
  expect((await other.get('/api/keys')).body.items).toEqual([])
})

test('a key is told which scope it lacks, and that keys are no matter for keys', async () => {
  const key = await makeKey(admin, { scopes: ['portal:read'] })
  const client = withKey(admin, key)
  const lacking = await client.post('/api/projects', { name: 'New' })
  expect([lacking.status, lacking.body.error?.message]).toEqual([
    403,
    expect.stringContaining('portal:write'),
  ])
  const making = await client.post('/api/keys', { name: 'Child', scopes: ['portal:read'] })
  expect([making.status, making.body.error?.message]).toEqual([403, expect.stringContaining('session')])
  expect((await client.delete(`/api/keys/${key.id}`)).status).toBe(403)
  expect((await client.get('/api/auth/me')).body.user?.email).toBe(admin.email)
})

test('the key counts before the cookie, and two that differ are nobody', async () => {
  const user = await signUp(server.url)
  const key = await makeKey(user, { scopes: ['portal:read'] })
  const another = await makeKey(user, { scopes: ['portal:read'] })
  const call = async (headers: Record<string, string>) =>
    (await new Client(server.url).call('GET', '/api/auth/me', { headers })).status
  const cookie = `al_session=${user.token}`
  expect(await call({ cookie })).toBe(200)
  expect(await call({ 'x-api-key': key.key })).toBe(200)
  expect(await call({ authorization: `bEaReR \t ${key.key}` })).toBe(200)
  expect(await call({ 'x-api-key': key.key, authorization: `Bearer ${key.key}` })).toBe(200)
  expect(await call({ 'x-api-key': another.key, authorization: `Bearer ${key.key}` })).toBe(401)
  expect(await call({ 'x-api-key': key.key, authorization: `Bearer ${user.token}` })).toBe(401)
  expect(await call({ cookie, 'x-api-key': `${key.key.slice(0, -1)}-` })).toBe(401)
  // The cookie may do this, the key in the header may not.
  const asKey = { cookie, origin: server.url, 'x-api-key': key.key }
  const made = await new Client(server.url).call('POST', '/api/projects', {
    headers: asKey,
    body: { name: 'x' },
  })
  expect(made.status).toBe(403)
})

/** The status that the server gives to a request with these header lines, byte for byte. */
async function statusOfRaw(...lines: (string | Buffer)[]): Promise<number> {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  const head = [
    'GET /api/auth/me HTTP/1.1',
    `host: ${hostname}:${port}`,
    'connection: close',
    ...lines,
    '',
    '',
  ]
  socket.write(Buffer.concat(head.map((line) => Buffer.concat([Buffer.from(line), Buffer.from('\r\n')]))))
  const answer = Buffer.concat(await socket.toArray()).toString('latin1')
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])
}

test('headers as no program sends them are refused, and never a fault of the server', async () => {
  const { key } = await makeKey(admin, { scopes: ['portal:read'] })
  const { key: another } = await makeKey(admin, { scopes: ['portal:read'] })
  const bytes = Buffer.from(Array.from({ length: 255 }, (_, n) => n + 1).filter((n) => n !== 10 && n !== 13))
  const statuses = await Promise.all([
    statusOfRaw(`x-api-key: ${key}`, `x-api-key: ${another}`),
    statusOfRaw(`x-api-key: ${key}, ${another}`),
    statusOfRaw('authorization:'),
    statusOfRaw('authorization: Bearer'),
    statusOfRaw(`authorization: Bearer ${key} ${key}`),
    statusOfRaw(Buffer.concat([Buffer.from('x-api-key: '), bytes])),
    statusOfRaw(Buffer.concat([Buffer.from(`authorization: Bearer ${key}`), Buffer.from([0xff, 0xfe])])),
    statusOfRaw(`x-api-key: ${key}\0`),
    statusOfRaw(`x-api-key: ${'a'.repeat(12_000)}`),
    statusOfRaw(`x-api-key: ${key.repeat(200)}`),
    statusOfRaw(`x-api-key: ${'a'.repeat(50_000)}`),
    statusOfRaw(`cookie: ${'al_session=;'.repeat(900)}`),
  ])
  for (const status of statuses) expect([400, 401, 431]).toContain(status)
  expect(await statusOfRaw(`x-api-key: ${key}`, `x-api-key: ${key}`)).toBe(200)
  expect(await statusOfRaw(`X-API-KEY:\t${key} `)).toBe(200)
  expect(await statusOfRaw(`AUTHORIZATION:   bearer\t${key}  `)).toBe(200)
})

test('a key that is bound to a project reaches that project and nothing beside it', async () => {
  const here = await openTalk(server.url)
  const { user } = here
  const there = await user.post('/api/projects', { name: 'There' })
  const agent = await user.post(`/api/projects/${there.body.id}/agents`, { name: 'There' })
  const talk = await user.post(`/api/agents/${agent.body.id}/conversations`, {})
  const scopes = ['chat', 'portal:read', 'portal:write'] as const
  const bound = withKey(user, await makeKey(user, { scopes: [...scopes], project_id: here.projectId }))
  const ids = async (path: string) =>
    ((await bound.get(path)).body.items as unknown as { id: string }[]).map(({ id }) => id)
  expect(await ids('/api/projects')).toEqual([here.projectId])
  expect(await ids('/api/conversations')).toEqual([here.conversationId])
  expect((await bound.get(`/api/agents/${here.agentId}`)).status).toBe(200)
  expect((await bound.post(`/api/agents/${here.agentId}/conversations`)).status).toBe(201)
  for (const path of [
    `/api/projects/${there.body.id}`,
    `/api/projects/${there.body.id}/agents`,
    `/api/projects/${there.body.id}/members`,
    `/api/agents/${agent.body.id}`,
    `/api/agents/${agent.body.id}/versions`,
    `/api/agents/${agent.body.id}/prompts`,
    `/api/conversations/${talk.body.conversation?.id}`,
  ])
    expect([path, (await bound.get(path)).status]).toEqual([path, 404])
  expect((await bound.patch(`/api/agents/${agent.body.id}`, { name: 'Mine' })).status).toBe(404)
  expect((await bound.delete(`/api/projects/${there.body.id}?confirm=There`)).status).toBe(404)
  expect((await bound.post(`/api/agents/${agent.body.id}/conversations`)).status).toBe(404)
})

test('a bound key sees and keeps the provider keys of its project alone', async () => {
  const { user, projectId } = await openTalk(server.url)
  const stored = { credentialType: 'openai', credentials: { api_key: 'sk-test-of-keys' } }
  const mine = await user.post('/api/credentials', stored)
  const projects = await user.post('/api/credentials', { ...stored, projectId })
  const scopes = ['portal:read', 'portal:write'] as const
  const bound = withKey(user, await makeKey(user, { scopes: [...scopes], project_id: projectId }))
  const items = (await bound.get('/api/credentials')).body.items as unknown as { id: string }[]
  expect(items.map(({ id }) => id)).toEqual([projects.body.id])
  expect((await bound.delete(`/api/credentials/${mine.body.id}`)).status).toBe(404)
  expect((await bound.post('/api/credentials', stored)).status).toBe(403)
  expect((await bound.post('/api/credentials', { ...stored, projectId })).status).toBe(201)
  expect((await bound.get('/api/openai/info')).body.source).toBe('vault')
})

test('who leaves a project takes nothing along: the key that is bound to it reaches nothing any more', async () => {
  const owner = await openTalk(server.url)
  const member = await signUp(server.url)
  const members = `/api/projects/${owner.projectId}/members`
  const stranger = { name: 'x', scopes: ['portal:read'], project_id: owner.projectId }
  expect((await member.post('/api/keys', stranger)).status).toBe(404)
  await owner.user.post(members, { email: member.email, role: 'viewer' })
  const made = await makeKey(member, { scopes: ['portal:read'], project_id: owner.projectId })
  const bound = withKey(member, made)
  expect((await bound.get(`/api/projects/${owner.projectId}`)).status).toBe(200)
  await owner.user.delete(`${members}/${member.userId}`)
  expect((await bound.get(`/api/projects/${owner.projectId}`)).status).toBe(404)
  expect((await bound.get('/api/projects')).body.items).toEqual([])
  await owner.user.delete(`/api/projects/${owner.projectId}?confirm=Project`)
  expect((await bound.get('/api/projects')).status).toBe(401)
})

test('the key is in no later answer, page, log line or row', async () => {
  const user = await signUp(server.url)
  const { id, key } = await makeKey(user, { name: 'Canary', scopes: ['portal:read', 'portal:write'] })
  const client = withKey(user, { key })
  const answers = [
    await user.get('/api/keys'),
    await user.get(`/api/keys/${id}`),
    await user.patch(`/api/keys/${id}`, { name: 'Canary still' }),
    await user.get(`/api/keys/${id}/traffic`),
    await client.patch(`/api/keys/${id}`, { name: 'By itself' }),
    await client.get('/api/auth/me'),
    await client.post('/api/projects', { name: 'Seen' }),
    await client.get('/api/keys'),
    await new Client(server.url, `${key}x`).get('/api/projects'),
    await new Client(server.url).call('GET', '/keys', { headers: { cookie: `al_session=${user.token}` } }),
    await user.delete(`/api/keys/${id}`),
    await client.get('/api/projects'),
  ]
  const heard = answers.map(({ text, headers }) => text + JSON.stringify([...headers])).join('\n')
  const rows = await dump()
  expect(rows).toContain('key.revoke')
  for (const place of [heard, server.output(), rows])
    for (const form of [key, Buffer.from(key).toString('base64'), key.slice(4)])
      expect(place.includes(form)).toBe(false)
})

/** Every row of every table, as text. */
async function dump(): Promise<string> {
  const query = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'"
  const texts: string[] = []
  for (const { name } of await read<{ name: string }>(query)) {
    const rows = await read<{ row: string }>(`SELECT t::text AS row FROM "${name}" t`)
    texts.push(...rows.map(({ row }) => row))
  }
  return texts.join('\n')
}

async function read<Row>(query: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Postgres({ connectionString: database.url })
  await client.connect()
  const { rows } = await client.query(query, values).finally(() => client.end())
  return rows
}

test('making, changing and revoking a key is written down, with who, what and where from', async () => {
  const user = await signUp(server.url)
  const made = await makeKey(user, { name: 'Written down', scopes: ['chat'], budget_usd: 3 })
  await user.patch(`/api/keys/${made.id}`, { requests_per_minute: 9 })
  await user.delete(`/api/keys/${made.id}`)
  const rows = await read<{ detail: object }>('SELECT * FROM audit_events WHERE target = $1 ORDER BY id', [
    made.id,
  ])
  expect(rows).toHaveLength(3)
  expect(rows[1]?.detail).toMatchObject({ changed: ['requests_per_minute'], requestsPerMinute: 9 })
  for (const [index, action] of ['key.create', 'key.update', 'key.revoke'].entries()) {
    expect(rows[index]).toMatchObject({
      action,
      actor_id: user.userId,
      ip: '127.0.0.1',
      detail: { name: 'Written down', last4: made.last4, scopes: ['chat'], budgetUsd: '3' },
    })
  }
})
