import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { CredentialFailure } from '@/lib/contracts/credentials'
import { db } from '@/lib/db'
import { AppError } from '@/lib/errors'
import { readHealth } from '@/lib/health'
import { checkProvider } from '@/lib/health/checks'
import { explainResolution, listCredentials, noteOutcome, withCredential } from '@/lib/vault'
import { makeActor, openLibrary } from '../support/library'
import { keepKey, keepMany } from '../support/vault'

let close: () => Promise<void>
let admin: Actor
let ada: Actor

beforeAll(async () => {
  close = await openLibrary()
  admin = await makeActor('admin', 'admin')
  ada = await makeActor('ada')
})
afterAll(() => close())
beforeEach(async () => {
  await db().credential.deleteMany()
})

const lend = (by: Actor) => withCredential(by, { projectId: null, provider: 'auto' }, async (key) => key)
const fault = (failure: CredentialFailure) =>
  new AppError('provider_failed', 'It failed.', { facts: { failure } })
const stepOf = async (by: Actor, source: string, userId?: string) =>
  (await explainResolution(by, { userId })).find((step) => step.source === source)

test('the step of a key says what was last said against it, until it works again; to its own people alone', async () => {
  await keepKey(ada, 'sk-test-own-1a1a')
  await noteOutcome(await lend(ada), fault('refused'))
  expect(await stepOf(ada, 'user')).toMatchObject({ status: 'serves', failure: 'refused' })
  expect(await stepOf(admin, 'user', ada.userId)).toEqual({
    source: 'user',
    status: 'serves',
    detail: 'OpenAI key',
  })
  await noteOutcome(await lend(ada), null)
  expect(await stepOf(ada, 'user')).not.toHaveProperty('failure')
})

test('the health is degraded while the key that serves everyone fails, says why, and nothing of the key', async () => {
  await keepKey(admin, 'sk-test-canary-2b2b', { scope: 'global' })
  expect(await checkProvider(true)).toMatchObject({ status: 'healthy' })
  for (const failure of CredentialFailure.options) {
    await noteOutcome(await lend(admin), fault(failure))
    expect(await checkProvider(true)).toMatchObject({
      status: 'degraded',
      detail: expect.stringMatching(/^A key for everyone serves, but .{10,}\.$/),
    })
  }
  const health = await readHealth()
  expect(health.status).toBe('degraded')
  expect(JSON.stringify(health)).not.toMatch(/canary|2b2b|127\.0\.0\.1/)
  await noteOutcome(await lend(admin), null)
  expect(await checkProvider(true)).toMatchObject({ status: 'healthy' })
})

test('of very many keys a page gets the newest thousand', async () => {
  await keepMany(ada, 1001)
  expect(await listCredentials(ada)).toHaveLength(1000)
})
