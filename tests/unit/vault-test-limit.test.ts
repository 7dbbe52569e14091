import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { db } from '@/lib/db'
import { testCredential } from '@/lib/health'
import { makeActor, openLibrary, origin } from '../support/library'
import { keepKey } from '../support/vault'

let close: () => Promise<void>
let ada: Actor
let eve: Actor

beforeAll(async () => {
  close = await openLibrary({ RATE_LIMITS: 'test=3/1h' })
  ada = await makeActor('ada')
  eve = await makeActor('eve')
})
afterAll(() => close())

test('nobody has this server call about without end: tests are counted by user, and beyond the bound none goes out', async () => {
  const own = await keepKey(ada, 'sk-test-own-1a1a')
  const other = await keepKey(eve, 'sk-test-other-2b2b')
  const tests = await Promise.allSettled(Array.from({ length: 8 }, () => testCredential(ada, own.id, origin)))
  const faults = tests.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  expect(faults).toHaveLength(5)
  for (const fault of faults)
    expect(fault).toMatchObject({ code: 'too_many_requests', retryAfterSeconds: expect.any(Number) })
  expect(await db().auditEvent.count({ where: { action: 'credential.test', target: own.id } })).toBe(3)
  expect(await testCredential(eve, other.id, origin)).toMatchObject({ ok: false })
})
