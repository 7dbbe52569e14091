import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Client, type Json, signUp } from '../support/client'
import { makeKey, withKey } from '../support/keys'
import { startServer, type TestServer } from '../support/server'

/*
 * The systems that asked a Papita for keys ask this server now, with nothing changed but the address.
 */

type Person = Client & { email: string; userId: string }

let server: TestServer
let admin: Person
let ada: Person
let eve: Person
let projectId: string
let papita: Client

const secretKeys = {
  user: 'sk-test-canary-user-1a1a',
  project: 'sk-test-canary-project-2b2b',
  global: 'sk-test-canary-global-3c3c',
}

beforeAll(async () => {
  server = await startServer()
  admin = await signUp(server.url, 'admin')
  ada = await signUp(server.url, 'ada')
  eve = await signUp(server.url, 'eve')
  projectId = String((await ada.post('/api/projects', { name: 'Engines' })).body.id)
  papita = withKey(admin, await makeKey(admin, { scopes: ['credentials:read'] }))
  const keep = async (by: Person, apiKey: string, more: object) => {
    const body = { credentialType: 'openai', credentials: { api_key: apiKey }, ...more }
    expect((await by.post('/api/credentials', body)).status).toBe(201)
  }
  await keep(ada, secretKeys.user, { username: ada.email })
  await keep(ada, secretKeys.project, { projectId })
  await keep(admin, secretKeys.global, { scope: 'global' })
})
afterAll(() => server.close())

/** As those clients do it: the user's key first, then everyone's, and nothing but 200 counts. */
async function fetchApiKey(username: string, type: string): Promise<string | null> {
  for (const path of [
    `/api/credentials?username=${encodeURIComponent(username)}&credentialType=${type}`,
    `/api/credentials/global/${type}`,
  ]) {
    const answer = await fetch(server.url + path, { headers: { authorization: `Bearer ${papita.token}` } })
    if (!answer.ok) continue
    const body = (await answer.json()) as { credentials?: { credentials?: { api_key?: string } } }
    const apiKey = body.credentials?.credentials?.api_key
    if (apiKey) return apiKey
  }
  return null
}

test('a client reads the user’s key, or else everyone’s, or else none', async () => {
  expect(await fetchApiKey(ada.email, 'openai')).toBe(secretKeys.user)
  expect(await fetchApiKey(ada.email.toUpperCase(), 'openai')).toBe(secretKeys.user)
  expect(await fetchApiKey(eve.email, 'openai')).toBe(secretKeys.global)
  expect(await fetchApiKey('nobody@example.com', 'openai')).toBe(secretKeys.global)
  expect(await fetchApiKey(ada.email, 'anthropic')).toBeNull()
  expect(await fetchApiKey(ada.email, 'aws')).toBeNull()
})

test('a project’s key comes in the same shape, also by x-api-key, and nobody on the way keeps it', async () => {
  const path = `/api/credentials?credentialType=openai&projectId=${projectId}`
  const answer = await fetch(server.url + path, { headers: { 'x-api-key': papita.token ?? '' } })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(await answer.json()).toEqual({
    success: true,
    credentials: {
      id: expect.any(String),
      credentialType: 'openai',
      projectId,
      scope: 'project',
      credentials: { api_key: secretKeys.project },
    },
  })
  expect((await papita.get(`${path}&username=${ada.email}`)).status).toBe(200)
  expect((await papita.get(`${path}&username=${eve.email}`)).status).toBe(404)
})

test('to HEAD it is told that there is a key, nothing of it; and that is written down like any other telling', async () => {
  const reveals = async () => {
    const { body } = await admin.get('/api/audit?action=credential.reveal&limit=100')
    return (body.items as unknown as Json[]).length
  }
  const before = await reveals()
  const answer = await papita.call('HEAD', `/api/credentials?credentialType=openai&username=${ada.email}`)
  expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: '' })
  expect(JSON.stringify([...answer.headers])).not.toContain('canary')
  expect(await reveals()).toBe(before + 1)
})

test('whoever and whatever is not there, the answer differs in nothing but its request', async () => {
  const query = 'credentialType=openai&'
  const answers = await Promise.all(
    [`username=${eve.email}`, 'username=nobody@example.com', `projectId=${crypto.randomUUID()}`].map((who) =>
      papita.get(`/api/credentials?${query}${who}`),
    ),
  )
  for (const { status, body } of answers) {
    expect({ status, ...body.error, request_id: '' }).toEqual({
      status: 404,
      code: 'not_found',
      message: 'There is no such key in the vault.',
      request_id: '',
    })
  }
})

test.each([
  ['an unknown kind', `username=a@example.com&credentialType=aws`, 'credentialType'],
  ['no kind', `username=a@example.com`, 'credentialType'],
  ['neither user nor project', `credentialType=openai`, 'username'],
  ['a project that is no id', `credentialType=openai&projectId=1`, 'projectId'],
  ['an unknown field', `credentialType=openai&username=a@example.com&scope=global`, ''],
])('a question with %s is answered with what is wrong with it', async (_, query, path) => {
  const { status, body } = await papita.get(`/api/credentials?${query}`)
  expect(status).toBe(400)
  expect(body.error).toMatchObject({ code: 'invalid_input', issues: [{ path }] })
})

test('nothing but an admin’s key of this scope reads any: no session, no other key, none that was revoked', async () => {
  const made = await makeKey(admin, { scopes: ['credentials:read'] })
  const revoked = withKey(admin, made)
  await admin.delete(`/api/keys/${made.id}`)
  const others: [Client, number][] = [
    [withKey(admin, await makeKey(admin, { scopes: ['chat', 'gateway', 'launch'] })), 403],
    [withKey(ada, await makeKey(ada, { scopes: ['chat', 'gateway', 'portal:write'] })), 403],
    [revoked, 401],
  ]
  const query = `?credentialType=openai&username=${ada.email}`
  for (const [other, status] of others) {
    expect((await other.get(`/api/credentials${query}`)).status).toBe(status)
    expect((await other.get('/api/credentials/global/openai')).status).toBe(status)
  }
  for (const person of [ada, admin]) {
    expect((await person.get('/api/credentials/global/openai')).status).toBe(403)
    const list = await person.get(`/api/credentials${query}`)
    expect(list.status).toBe(200)
    expect(list.text).not.toContain('canary')
  }
  expect((await ada.post('/api/keys', { name: 'mine', scopes: ['credentials:read'] })).status).toBe(403)
  expect((await papita.post('/api/credentials/rotate')).status).toBe(403)
})

test('to a session the same address is the list, masked, which the same words narrow', async () => {
  const list = async (query: string) =>
    ((await ada.get(`/api/credentials${query}`)).body.items as unknown as Json[]).map(({ scope }) => scope)
  expect(await list('')).toEqual(['project', 'user'])
  expect(await list(`?projectId=${projectId}`)).toEqual(['project'])
  expect(await list(`?username=${ada.email.toUpperCase()}&credentialType=openai`)).toEqual(['user'])
  expect(await list('?credentialType=anthropic')).toEqual([])
  expect(await list(`?username=${eve.email}`)).toEqual([])
  expect((await ada.get('/api/credentials?credentialType=aws')).status).toBe(400)
})

test('a key bound to a project reads that project’s and no other', async () => {
  // Whoever binds a key to a project is a member there.
  await ada.post(`/api/projects/${projectId}/members`, { email: admin.email, role: 'viewer' })
  const bound = withKey(admin, await makeKey(admin, { scopes: ['credentials:read'], project_id: projectId }))
  const read = (query: string) => bound.get(`/api/credentials?credentialType=openai&${query}`)
  expect((await read(`projectId=${projectId}`)).body).toMatchObject({ success: true })
  expect((await read(`username=${ada.email}`)).status).toBe(404)
  expect((await bound.get('/api/credentials/global/openai')).status).toBe(404)
})

test('none of the keys is in what the server wrote down', () => {
  for (const apiKey of Object.values(secretKeys)) expect(server.output()).not.toContain(apiKey)
})
