import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Client, type Json, signUp } from '../support/client'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'

type Person = Client & { email: string; userId: string }

let openai: OpenAIServer
let server: TestServer
let admin: Person
let ada: Person
let eve: Person

const secretKey = 'sk-test-canary-4f6c1d9e77'

beforeAll(async () => {
  openai = await startOpenAI({ acceptKey: (key) => key === secretKey })
  server = await startServer()
  admin = await signUp(server.url, 'admin')
  ada = await signUp(server.url, 'ada')
  eve = await signUp(server.url, 'eve')
})
afterAll(async () => {
  await server.close()
  await openai.close()
})

const openAiKey = (apiKey = secretKey, more: object = {}) => ({
  credentialType: 'openai',
  credentials: { api_key: apiKey },
  ...more,
})

async function keep(body: object, by: Person = ada): Promise<Json> {
  const answer = await by.post('/api/credentials', body)
  expect(answer.status, answer.text).toBe(201)
  return answer.body
}

const items = async (by: Person) => (await by.get('/api/credentials')).body.items as unknown as Json[]

test('a key is kept, masked in every answer, relabelled, replaced and deleted', async () => {
  const said: string[] = []
  const made = await ada.post('/api/credentials', openAiKey(`  ${secretKey}\n`, { label: 'Work' }))
  said.push(made.text)
  expect(made.status).toBe(201)
  expect(made.body).toEqual({
    id: expect.any(String),
    scope: 'user',
    credentialType: 'openai',
    projectId: null,
    username: ada.email,
    label: 'Work',
    baseUrl: 'https://api.openai.com/v1',
    last4: '9e77',
    createdAt: expect.stringMatching(/Z$/),
    updatedAt: expect.stringMatching(/Z$/),
    lastUsedAt: null,
  })
  const path = `/api/credentials/${made.body.id}`
  said.push((await ada.get('/api/credentials')).text)
  const renamed = await ada.put(path, { label: 'Home' })
  expect(renamed.body).toMatchObject({ label: 'Home', last4: '9e77', baseUrl: 'https://api.openai.com/v1' })
  const replaced = await ada.put(path, {
    credentials: { api_key: 'sk-test-another-00aa' },
    baseUrl: 'http://127.0.0.1:4000/v1/',
  })
  expect(replaced.body).toMatchObject({ label: 'Home', last4: '00aa', baseUrl: 'http://127.0.0.1:4000/v1' })
  said.push(renamed.text, replaced.text)
  expect((await ada.delete(path)).status).toBe(204)
  expect((await ada.delete(path)).status).toBe(404)
  for (const text of said) expect(text).not.toMatch(/sk-test/)
})

test('a key does not travel to another address unless it is entered again', async () => {
  const { id } = await keep(openAiKey())
  const moved = await ada.put(`/api/credentials/${id}`, { baseUrl: 'https://evil.example/v1' })
  expect(moved.status).toBe(400)
  expect(moved.body.error).toMatchObject({ issues: [{ path: 'credentials' }] })
  expect((await items(ada)).find((item) => item.id === id)?.baseUrl).toBe('https://api.openai.com/v1')
})

test.each([
  ['no key', { credentialType: 'openai', credentials: {} }],
  ['an empty key', openAiKey('')],
  ['a key of two lines', openAiKey('sk-a\r\nx-evil: 1')],
  ['a key with a space', openAiKey('sk-a b')],
  ['an unknown type', openAiKey(secretKey, { credentialType: 'aws' })],
  ['an unknown scope', openAiKey(secretKey, { scope: 'team' })],
  ['a project scope and no project', openAiKey(secretKey, { scope: 'project' })],
  ['an address that is none', openAiKey(secretKey, { baseUrl: 'nowhere' })],
  ['an address of a file', openAiKey(secretKey, { baseUrl: 'file:///etc/passwd' })],
  ['an address with a password', openAiKey(secretKey, { baseUrl: 'https://a:b@example.com/v1' })],
  ['an end that is past', openAiKey(secretKey, { expiresAt: '2001-01-01T00:00:00Z' })],
  ['a server that has no address', { credentialType: 'openai-compatible', credentials: { api_key: 'x' } }],
  ['an unknown field', openAiKey(secretKey, { admin: true })],
])('a credential with %s is refused, and the refusal does not repeat the key', async (_, body) => {
  const { status, text } = await ada.post('/api/credentials', body)
  expect(status).toBe(400)
  expect(text).not.toContain(secretKey)
})

test('a key for everyone is an admin’s to keep, and out of others’ sight', async () => {
  const global = openAiKey(secretKey, { scope: 'global' })
  expect((await ada.post('/api/credentials', global)).status).toBe(403)
  const { id } = await keep(global, admin)
  expect((await items(admin)).map((item) => item.id)).toContain(id)
  expect((await items(ada)).map((item) => item.id)).not.toContain(id)
  for (const call of [
    ada.put(`/api/credentials/${id}`, { label: 'mine' }),
    ada.delete(`/api/credentials/${id}`),
    ada.post(`/api/credentials/${id}/test`),
  ]) {
    expect((await call).status).toBe(404)
  }
  const info = (await ada.get('/api/openai/info')).body
  expect(info).toMatchObject({ configured: true, source: 'vault', provider: 'openai', key_last4: '9e77' })
  expect((await admin.delete(`/api/credentials/${id}`)).status).toBe(204)
})

test('nobody, an admin neither, sees, changes, tests or deletes a person’s key', async () => {
  const { id } = await keep(openAiKey())
  for (const other of [eve, admin]) {
    expect((await items(other)).map((item) => item.id)).not.toContain(id)
    expect((await other.put(`/api/credentials/${id}`, { label: 'mine' })).status).toBe(404)
    expect((await other.post(`/api/credentials/${id}/test`)).status).toBe(404)
    expect((await other.delete(`/api/credentials/${id}`)).status).toBe(404)
  }
  const forOther = await eve.post('/api/credentials', openAiKey(secretKey, { username: ada.email }))
  expect(forOther.status).toBe(403)
})

test('a project’s key is kept by editors, seen by viewers, and gone for who leaves', async () => {
  const project = (await ada.post('/api/projects', { name: 'Shared' })).body
  const members = `/api/projects/${project.id}/members`
  const body = openAiKey(secretKey, { projectId: project.id })
  expect((await eve.post('/api/credentials', body)).status).toBe(404)
  await ada.post(members, { email: eve.email, role: 'viewer' })
  expect((await eve.post('/api/credentials', body)).status).toBe(403)
  const { id, scope, projectId } = await keep(body)
  expect({ scope, projectId }).toEqual({ scope: 'project', projectId: project.id })
  expect((await items(eve)).map((item) => item.id)).toContain(id)
  expect((await eve.delete(`/api/credentials/${id}`)).status).toBe(403)
  expect((await eve.post(`/api/credentials/${id}/test`)).status).toBe(403)
  await ada.patch(`${members}/${eve.userId}`, { role: 'editor' })
  expect((await eve.put(`/api/credentials/${id}`, { label: 'Ours' })).status).toBe(200)
  await ada.delete(`${members}/${eve.userId}`)
  expect((await items(eve)).map((item) => item.id)).not.toContain(id)
  expect((await eve.put(`/api/credentials/${id}`, { label: 'Ours' })).status).toBe(404)
})

test('testing a key tells that it works, how long it took and how many models it opens', async () => {
  openai.reset()
  const { id } = await keep(openAiKey(secretKey, { baseUrl: openai.baseUrl }))
  const { status, body } = await ada.post(`/api/credentials/${id}/test`)
  expect(status).toBe(200)
  expect(body).toEqual({ ok: true, latency_ms: expect.any(Number), models: expect.any(Number) })
  expect(Number(body.models)).toBeGreaterThan(0)
  expect(openai.journal.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /v1/models',
    'POST /v1/embeddings',
  ])
  const used = (await items(ada)).find((item) => item.id === id)
  expect(used?.lastUsedAt).toMatch(/Z$/)
})

test('testing a key says in the reader’s words that it is refused, or that nobody is there', async () => {
  const wrong = await keep(openAiKey('sk-test-wrong-0bad', { baseUrl: openai.baseUrl }))
  const refused = await ada.post(`/api/credentials/${wrong.id}/test`)
  expect(refused.body).toMatchObject({
    ok: false,
    error: 'OpenAI refused the key ending 0bad. Replace it in the vault.',
  })
  expect(refused.text).not.toContain('sk-test-wrong')
  const port = await findClosedPort()
  const away = await keep(openAiKey(secretKey, { baseUrl: `http://127.0.0.1:${port}/v1` }))
  const { status, body } = await ada.post(`/api/credentials/${away.id}/test`)
  expect(status).toBe(200)
  expect(body).toMatchObject({ ok: false, error: expect.any(String) })
  expect(JSON.stringify(body)).not.toContain(secretKey)
})

function findClosedPort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => done(port))
    })
  })
}

test('without any key the service says that the demo model answers', async () => {
  const someone = await signUp(server.url)
  expect((await someone.get('/api/openai/info')).body).toEqual({
    configured: false,
    source: 'demo',
    provider: 'demo',
    default_model: 'demo',
    base_url: null,
    key_last4: null,
  })
})

test('a server without the vault’s key, or with another, does not start, says why in one line and destroys nothing', async () => {
  const first = await startServer()
  try {
    const person = await signUp(first.url)
    await keep(openAiKey(secretKey, { baseUrl: openai.baseUrl }), person)
    const keyFile = join(first.dataDir, 'vault-key')
    expect(statSync(keyFile).mode & 0o777).toBe(0o600)
    const kept = readFileSync(keyFile)
    await first.stop()

    rmSync(keyFile)
    await expect(first.restart()).rejects.toThrow(
      /AL-Chat: The key of the vault is missing, and 1 credential is sealed with it\. .*\n/,
    )
    expect(existsSync(keyFile)).toBe(false)
    await expect(first.restart({ VAULT_KEY: 'another key of 32 bytes or even more' })).rejects.toThrow(
      /AL-Chat: VAULT_KEY .* is not the key of this vault/,
    )

    writeFileSync(keyFile, kept, { mode: 0o600 })
    const again = await first.restart()
    const back: Client = Object.assign(person, { url: again.url })
    const [credential] = (await back.get('/api/credentials')).body.items as unknown as Json[]
    expect((await back.post(`/api/credentials/${credential?.id}/test`)).body.ok).toBe(true)
    await again.stop()
  } finally {
    await first.close()
  }
})

test('the key is in none of what the server wrote down', async () => {
  await keep(openAiKey())
  expect(server.output()).not.toContain(secretKey)
})
