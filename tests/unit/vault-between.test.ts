import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { db, type Transaction } from '@/lib/db'
import { asAppError } from '@/lib/errors'
import { withCredential, withStoredCredential } from '@/lib/vault'
import { getMaster, kekOf } from '@/lib/vault/key'
import { type Kek, sealSecret } from '@/lib/vault/seal'
import { makeActor, openLibrary, origin } from '../support/library'
import { baseUrl, keepKey } from '../support/vault'

/*
 * Between the moment when a key is found to be the actor's and the moment when it is opened, it may go or become
 * somebody else's. Opening waits here, for a lock, until that has happened.
 */

let close: () => Promise<void>
let ada: Actor
let eve: Actor
let kek: Kek

beforeAll(async () => {
  close = await openLibrary({ OPENAI_API_KEY: 'sk-test-environment-0e0e' })
  ada = await makeActor('ada')
  eve = await makeActor('eve')
  kek = kekOf(await getMaster(), await db().vaultKey.findFirstOrThrow())
})
afterAll(() => close())
beforeEach(async () => {
  await db().credential.deleteMany()
})

const lend = () => withCredential(ada, { projectId: null, provider: 'auto' }, async (key) => key)

/** Begins `call`, does `change` while it waits to open what it has found, and gives what becomes of it. */
async function during<T>(change: (tx: Transaction) => Promise<unknown>, call: () => Promise<T>): Promise<T> {
  let outcome: Promise<T> | undefined
  await db().$transaction(async (tx) => {
    await tx.$executeRaw`LOCK TABLE vault_keys IN ACCESS EXCLUSIVE MODE`
    outcome = call()
    outcome.catch(() => undefined)
    await expect.poll(async () => (await waiting(tx)) > 0, { timeout: 4000, interval: 10 }).toBe(true)
    await change(tx)
  })
  return outcome as Promise<T>
}

async function waiting(tx: Transaction): Promise<number> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM pg_locks WHERE relation = 'vault_keys'::regclass AND NOT granted`
  return rows.length
}

/** The record becomes another user's, with another key, as by `PUT /api/credentials/{id}`. */
const giveTo = (tx: Transaction, id: string, { userId }: Actor, apiKey: string) => {
  const boundTo = { scope: 'user', ownerId: userId, id, version: 2 }
  const data = { userId, version: 2, ...sealSecret(kek, boundTo, { apiKey, baseUrl }) }
  return tx.credential.update({ where: { id }, data })
}

test('a key that is deleted just before it is opened fails no call: the next one serves', async () => {
  const { id } = await keepKey(ada, 'sk-test-going-1a1a')
  const lent = await during((tx) => tx.credential.delete({ where: { id } }), lend)
  expect(lent.apiKey).toBe('sk-test-environment-0e0e')
})

test('a key that is replaced just before it is opened is lent as it is now', async () => {
  const { id } = await keepKey(ada, 'sk-test-old-1a1a')
  const lent = await during((tx) => giveTo(tx, id, ada, 'sk-test-new-2b2b'), lend)
  expect(lent).toMatchObject({ apiKey: 'sk-test-new-2b2b', version: 2 })
})

test('a key that becomes another’s just before it is opened is not lent, nor tested', async () => {
  const first = await keepKey(ada, 'sk-test-mine-1a1a')
  const lent = await during((tx) => giveTo(tx, first.id, eve, 'sk-test-of-eve-3c3c'), lend)
  expect(lent.apiKey).toBe('sk-test-environment-0e0e')
  const second = await keepKey(ada, 'sk-test-mine-1a1a')
  const tried = await during(
    (tx) => giveTo(tx, second.id, eve, 'sk-test-of-eve-3c3c'),
    () => withStoredCredential(ada, second.id, origin, async (key) => key.apiKey).catch(asAppError),
  )
  expect(tried).toMatchObject({ code: 'not_found' })
})
