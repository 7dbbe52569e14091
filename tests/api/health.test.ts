import { afterAll, beforeAll, expect, test } from 'vitest'
import { startEmbeddedPostgres } from '../../lib/db/embedded'
import packageJson from '../../package.json' with { type: 'json' }
import { Client, type Json, signUp } from '../support/client'
import { makeOwnFolder } from '../support/own-folder'
import { startServer, type TestServer } from '../support/server'

let server: TestServer

beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

test.each(['/api/health', '/health'])('%s tells everyone how the service is', async (path) => {
  const { status, body, headers } = await new Client(server.url).get(path)
  expect(status).toBe(200)
  expect(headers.get('x-request-id')).toBeTruthy()
  expect(body).toEqual({
    status: 'healthy',
    service: 'AL-Chat',
    version: packageJson.version,
    uptime_seconds: expect.any(Number),
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    checks: {
      database: { status: 'healthy', latency_ms: expect.any(Number) },
      papita: { status: 'off', detail: 'PAPITA_API_URL is not set.' },
      provider: { status: 'healthy', detail: expect.stringContaining('demo model') },
      storage: { status: 'healthy' },
    },
  })
})

test('a key for everyone shows as what serves, and nothing of it', async () => {
  const admin = await signUp(server.url)
  const key = 'sk-test-of-health-4242'
  const made = await admin.post('/api/credentials', {
    scope: 'global',
    credentialType: 'openai',
    credentials: { api_key: key },
  })
  expect(made.status).toBe(201)
  const read = () => new Client(server.url).get('/api/health')
  await expect
    .poll(async () => (await read()).body.checks?.provider?.detail, { timeout: 5000 })
    .toBe('A key for everyone serves.')
  expect((await read()).text).not.toMatch(/sk-test|4242/)
})

test('asking often costs one look, whoever asks', async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => new Client(server.url).get('/api/health')),
  )
  const times = new Set(answers.map(({ body }) => String(body.timestamp)))
  // One look serves for a second; a slow machine may begin another in between.
  expect(times.size).toBeLessThan(10)
})

test('while the database is out, health says so with 503, and other calls are refused', async () => {
  const folder = makeOwnFolder('outage')
  const start = () => startEmbeddedPostgres({ dataDir: folder.path, listen: 'loopback' })
  const database = await start()
  const apart = await startServer({ DATABASE_URL: database.url })
  try {
    const someone = await signUp(apart.url)
    await database.stop()
    const down = await poll(apart.url, 503)
    expect(down).toMatchObject({ status: 'degraded', checks: { database: { status: 'down' } } })
    expect(JSON.stringify(down)).not.toContain('postgresql://')
    const refused = await someone.get('/api/projects')
    expect(refused.status).toBe(503)
    expect(refused.body.error?.code).toBe('unavailable')
    // A change begins a transaction, which fails in another place than a reading.
    const unsaved = await someone.post('/api/projects', { name: 'Lost' })
    expect(unsaved.status).toBe(503)
    expect(unsaved.headers.get('retry-after')).toBeTruthy()
  } finally {
    await apart.close()
    folder.remove()
  }
})

async function poll(url: string, wanted: number): Promise<Json> {
  for (;;) {
    const { status, body } = await new Client(url).get('/api/health')
    if (status === wanted) return body
    await new Promise((done) => setTimeout(done, 200))
  }
}
