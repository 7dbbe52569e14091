import { Pool } from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { db } from '../../lib/db'
import { asStorageError } from '../../lib/db/errors'
import { sqlOn } from '../../lib/db/sql'
import { asAppError } from '../../lib/errors'
import { type DatabaseLine, layLine } from '../support/database-line'
import { openLibrary } from '../support/library'

/*
 * A database that goes away for a while: what asks it meanwhile is told so, and nothing has to be started again.
 */

const patienceMs = 300
let line: DatabaseLine
let pool: Pool

beforeEach(async () => {
  line = await layLine(process.env.TEST_DATABASE_URL ?? '')
  pool = new Pool({
    connectionString: line.url,
    max: 2,
    connectionTimeoutMillis: patienceMs,
    query_timeout: patienceMs,
  })
  pool.on('error', () => undefined)
})

afterEach(async () => {
  line.mend()
  await pool.end()
  await line.close()
})

const one = () => sqlOn(pool, false)<{ one: number }>`SELECT 1 AS one`
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'answered',
    (error: unknown) => asAppError(error).code,
  )

test.each(['cut', 'silence'] as const)('%s: statements are told that it is unavailable', async (fault) => {
  await one()
  line[fault]()
  // The first asks on a connection that was made before, the second on a new one.
  expect(await codeOf(one())).toBe('unavailable')
  expect(await codeOf(one())).toBe('unavailable')
  line.mend()
  expect(await one()).toEqual([{ one: 1 }])
})

test('so are transactions, whose connections serve nobody afterwards', async () => {
  const close = await openLibrary({ DATABASE_URL: line.url })
  try {
    const transaction = db().$transaction(async (tx) => {
      await tx.$executeRaw`CREATE TEMPORARY TABLE unfinished (id int)`
      line.cut()
      await tx.$executeRaw`SELECT 1`
    })
    expect(await codeOf(transaction)).toBe('unavailable')
    line.mend()
    const seen = await db().$queryRaw`SELECT to_regclass('pg_temp.unfinished')::text AS name`
    expect(seen).toEqual([{ name: null }])
  } finally {
    line.mend()
    await close()
  }
})

test.each([
  ['EPIPE', 'write EPIPE'],
  ['ETIMEDOUT', 'read ETIMEDOUT'],
  ['EAI_AGAIN', 'getaddrinfo EAI_AGAIN db'],
  ['25006', 'cannot execute INSERT in a read-only transaction'],
  ['53200', 'out of memory'],
])('%s is told as unavailable too', (code, message) => {
  expect(asStorageError(Object.assign(new Error(message), { code })).code).toBe('unavailable')
})
