import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AuditEntry } from '@/lib/contracts/audit'
import type { Listing } from '@/lib/contracts/primitives'
import { Client, password, signUp } from '../support/client'
import { startServer, type TestServer } from '../support/server'

type Person = Client & { email: string; userId: string }

let server: TestServer
let admin: Person
let eve: Person

beforeAll(async () => {
  server = await startServer()
  admin = await signUp(server.url, 'admin')
  eve = await signUp(server.url, 'eve')
})
afterAll(() => server.close())

const list = async (query = '') => (await admin.get<Listing<AuditEntry>>(`/api/audit${query}`)).body
const readCsv = (text: string): Record<string, string>[] => parse(text, { columns: true })

test('a key of a provider is told from its making to its end, with where it came from', async () => {
  const secret = 'sk-canary-of-the-audit-5b1e'
  const { body } = await eve.post('/api/credentials', {
    credentialType: 'openai-compatible',
    label: '=1+1;=2',
    baseUrl: 'http://127.0.0.1:9/v1',
    credentials: { api_key: secret },
  })
  const path = `/api/credentials/${body.id}`
  await eve.put(path, { label: 'Other' })
  await eve.post(`${path}/test`)
  const requestId = 'request-of-the-deletion'
  await eve.call('DELETE', path, { headers: { 'x-request-id': requestId } })
  const { items } = await list(`?target=${body.id}`)
  expect(items.map(({ action }) => action)).toEqual(
    ['delete', 'test', 'update', 'create'].map((deed) => `credential.${deed}`),
  )
  expect(items[0]).toMatchObject({
    actor: { id: eve.userId, email: eve.email },
    key_id: null,
    ip: '127.0.0.1',
    request_id: requestId,
    target_name: 'Other ··5b1e',
  })
  const exported = await admin.get(`/api/audit/export?target=${body.id}`)
  expect(exported.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  expect(exported.headers.get('content-disposition')).toMatch(
    /^attachment; filename="al-chat-audit-\d{4}-\d\d-\d\d\.csv"$/,
  )
  expect(exported.headers.get('cache-control')).toBe('no-store')
  expect(readCsv(exported.text).map(({ id }) => id)).toEqual(items.map(({ id }) => id))
  expect(exported.text + JSON.stringify(items)).not.toContain(secret)
})

test('members are refused, and what they asked for is not written down', async () => {
  expect((await eve.get('/api/audit')).status).toBe(403)
  expect((await eve.get('/api/audit/export')).status).toBe(403)
  expect((await list(`?action=audit.export&actor=${eve.userId}`)).items).toEqual([])
})

test('a failed sign-in is told without what was typed, a good one with its session', async () => {
  const visitor = new Client(server.url)
  await visitor.post('/api/auth/login', { email: eve.email, password: 'canary-of-a-wrong-one' })
  await visitor.post('/api/auth/login', { email: eve.email, password })
  const [failed] = (await list(`?action=account.signin_failed&target=${eve.userId}`)).items
  expect(failed).toMatchObject({ actor: null, target_name: eve.email })
  const [good] = (await list(`?action=account.signin&actor=${encodeURIComponent(eve.email)}`)).items
  expect(good).toMatchObject({ actor: { id: eve.userId } })
  expect(JSON.stringify([failed, good])).not.toContain('canary-of-a-wrong-one')
})

test('pages follow one another to the end', async () => {
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: Listing<AuditEntry> = await list(`?limit=3${cursor && `&cursor=${cursor}`}`)
    expect(page.items.length).toBeLessThanOrEqual(3)
    seen.push(...page.items.map(({ id }) => id))
    cursor = page.next_cursor
  }
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen).toEqual((await list('?limit=100')).items.map(({ id }) => id))
})

test.each(['?action=nothing', '?from=yesterday', '?limit=0', '?cursor=x', '?who=me', '?actor='])(
  '%s is refused as input',
  async (query) => {
    expect((await admin.get(`/api/audit${query}`)).status).toBe(400)
  },
)

test('an export is told with its filters, who asked for it and from where', async () => {
  const { headers } = await admin.get('/api/audit/export?action=session.end&from=2026-01-01')
  const { items } = await list('?action=audit.export')
  expect(items[0]).toMatchObject({
    actor: { id: admin.userId },
    request_id: headers.get('x-request-id'),
    detail: { action: 'session.end', from: '2026-01-01' },
  })
})
