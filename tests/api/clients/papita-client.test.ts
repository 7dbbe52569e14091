import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Client, signUp } from '../../support/client'
import { makeKey } from '../../support/keys'
import { startServer, type TestServer } from '../../support/server'

/*
 * A client of Papita's as it stands in the older services: it keeps users' keys by name, and asks for them by name, with
 * everyone's as the second choice. More of what such programs are answered: tests/api/papita-clients.test.ts.
 */

let server: TestServer
let admin: Client
let ada: Client & { email: string }
let serviceKey: string

beforeAll(async () => {
  server = await startServer()
  admin = await signUp(server.url, 'admin')
  ada = await signUp(server.url, 'ada')
  serviceKey = (await makeKey(admin, { scopes: ['credentials:read'] })).key
})
afterAll(() => server.close())

type Found = { success: boolean; credentials: { credentials: { api_key: string }; scope: string } }

async function ask(path: string, headers: Record<string, string>): Promise<{ status: number; body: Found }> {
  const answer = await fetch(server.url + path, { headers })
  return { status: answer.status, body: (await answer.json()) as Found }
}

test('a client keeps a user’s key, reads it by name, replaces it and deletes it', async () => {
  const query = `/api/credentials?username=${encodeURIComponent(ada.email)}&credentialType=openai`
  const headers = { authorization: `Bearer ${serviceKey}` }
  expect((await ask(query, headers)).status).toBe(404)
  const kept = await ada.post('/api/credentials', {
    username: ada.email,
    credentialType: 'openai',
    credentials: { api_key: 'sk-test-papita-client-0001' },
  })
  expect(kept.status).toBe(201)
  expect(kept.text).not.toContain('sk-test-papita-client')
  for (const said of [headers, { 'x-api-key': serviceKey }]) {
    const { status, body } = await ask(query, said)
    expect(status).toBe(200)
    expect(body).toMatchObject({ success: true, credentials: { scope: 'user', credentialType: 'openai' } })
    expect(body.credentials.credentials.api_key).toBe('sk-test-papita-client-0001')
  }
  const replaced = { credentials: { api_key: 'sk-test-papita-client-0002' } }
  expect((await ada.put(`/api/credentials/${kept.body.id}`, replaced)).status).toBe(200)
  expect((await ask(query, headers)).body.credentials.credentials.api_key).toBe('sk-test-papita-client-0002')
  expect((await ada.delete(`/api/credentials/${kept.body.id}`)).status).toBe(204)
  expect((await ask(query, headers)).status).toBe(404)
})

test('everyone’s key is there for who has none', async () => {
  const headers = { authorization: `Bearer ${serviceKey}` }
  expect((await ask('/api/credentials/global/openai', headers)).status).toBe(404)
  const credentials = { api_key: 'sk-test-papita-client-0003' }
  await admin.post('/api/credentials', { scope: 'global', credentialType: 'openai', credentials })
  const { body } = await ask('/api/credentials/global/openai', headers)
  expect(body).toMatchObject({ success: true, credentials: { scope: 'global', credentials } })
})
