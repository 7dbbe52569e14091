import { createServer } from 'node:net'
import { Pool } from 'pg'
import { expect, test } from 'vitest'
import { asStorageError } from '../../lib/db/errors'

/** A port on which nobody listens. */
async function findClosedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  return address && typeof address === 'object' ? address.port : 1
}

test('a database that is away is unavailable, also where its name has several addresses', async () => {
  const pool = new Pool({ host: 'localhost', port: await findClosedPort(), user: 'nobody' })
  const refused = await pool.query('SELECT 1').catch((error: unknown) => error)
  const severalAddresses = Object.assign(new AggregateError([refused], ''), { code: 'ECONNREFUSED' })
  expect(asStorageError(refused).code).toBe('unavailable')
  expect(asStorageError(severalAddresses).code).toBe('unavailable')
  await pool.end()
})

test('a limit of the server’s own on the time of a statement or a lock is no fault of ours', () => {
  for (const code of ['57014', '55P03'])
    expect(asStorageError(Object.assign(new Error('canceling statement'), { code })).code).toBe('unavailable')
})

test('a character that no text has is the caller’s', () => {
  const error = Object.assign(new Error('invalid byte sequence for encoding "UTF8": 0x00'), { code: '22021' })
  expect(asStorageError(error).code).toBe('invalid_input')
})
