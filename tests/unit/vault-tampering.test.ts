import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { db, type Prisma } from '@/lib/db'
import { type LentKey, withCredential } from '@/lib/vault'
import { announceChange } from '@/lib/vault/lending'
import { makeActor, openLibrary } from '../support/library'
import { keepKey } from '../support/vault'

/*
 * Whoever can write to the database, and does not have the server's secret, gets no key out of it: what was tampered
 * with is lent to nobody, and the refusal tells nothing.
 */

let close: () => Promise<void>
let ada: Actor
let eve: Actor

beforeAll(async () => {
  close = await openLibrary({ VAULT_KEY: 'the secret of this server, 32 bytes or more' })
  ada = await makeActor('ada')
  eve = await makeActor('eve')
})
afterAll(() => close())
beforeEach(async () => {
  await db().credential.deleteMany()
})

const rowOf = (id: string) => db().credential.findUniqueOrThrow({ where: { id } })

/** Borrows as a chat does, with nothing remembered from before. */
function lend(actor: Actor): Promise<LentKey> {
  announceChange()
  return withCredential(actor, { projectId: null, provider: 'openai' }, async (key) => key)
}

async function expectRefused(actor: Actor): Promise<void> {
  const error = (await lend(actor).then(
    () => new Error('it was lent'),
    (thrown: unknown) => thrown,
  )) as Error
  expect(error).toMatchObject({ name: 'AppError', code: 'provider_auth' })
  expect(error.message).toMatch(/^A key in the vault .* Delete it there and add the key again\.$/)
  const told = [error.message, error.stack, String(error.cause), JSON.stringify(error)].join(' ')
  expect(told).not.toMatch(/canary|the secret of this server/)
}

async function tamper(id: string, data: Prisma.CredentialUpdateInput): Promise<void> {
  await db().credential.update({ where: { id }, data })
}

test('two rows that are swapped, of two people or of one, open for nobody', async () => {
  for (const other of [eve, ada]) {
    await db().credential.deleteMany()
    const one = await rowOf((await keepKey(ada, 'sk-canary-one')).id)
    const two = await rowOf((await keepKey(other, 'sk-canary-two')).id)
    const inside = ({ sealed, wrappedKey, kekVersion, version }: typeof one) => ({
      sealed,
      wrappedKey,
      kekVersion,
      version,
    })
    await tamper(one.id, inside(two))
    await tamper(two.id, inside(one))
    await expectRefused(ada)
    await expectRefused(other)
  }
})

test('one column of one row in another row opens for nobody', async () => {
  const one = await rowOf((await keepKey(eve, 'sk-canary-one')).id)
  const two = await rowOf((await keepKey(ada, 'sk-canary-two')).id)
  for (const data of [
    { wrappedKey: one.wrappedKey },
    { sealed: one.sealed },
    { wrappedKey: one.sealed, sealed: one.wrappedKey },
  ]) {
    await tamper(two.id, data)
    await expectRefused(ada)
    await tamper(two.id, { sealed: two.sealed, wrappedKey: two.wrappedKey })
  }
  expect((await lend(ada)).apiKey).toBe('sk-canary-two')
})

test('a flipped bit, or a field cut short, anywhere in the row’s secrets opens for nobody', async () => {
  const { id, sealed, wrappedKey } = await rowOf((await keepKey(ada, 'sk-canary-one')).id)
  const whole = { sealed: Buffer.from(sealed), wrappedKey: Buffer.from(wrappedKey) }
  for (const field of ['sealed', 'wrappedKey'] as const) {
    // Format, nonce, tag, first and last byte of the text.
    for (const at of [0, 1, 12, 13, 28, 29, whole[field].length - 1]) {
      const flipped = Buffer.from(whole[field])
      flipped[at] = (flipped[at] ?? 0) ^ 0x10
      await tamper(id, { ...whole, [field]: flipped })
      await expectRefused(ada)
    }
    for (const length of [0, 1, 13, 28, 29, whole[field].length - 1]) {
      await tamper(id, { ...whole, [field]: whole[field].subarray(0, length) })
      await expectRefused(ada)
    }
  }
  await tamper(id, whole)
  expect((await lend(ada)).apiKey).toBe('sk-canary-one')
})

test('another version, another number of the key, another address or owner on the row opens for nobody', async () => {
  const { id } = await keepKey(ada, 'sk-canary-one')
  for (const [data, back] of [
    [{ version: 2 }, { version: 1 }],
    [{ kekVersion: 2 }, { kekVersion: 1 }],
    [{ baseUrl: 'https://evil.example/v1' }, { baseUrl: 'http://127.0.0.1:9/v1' }],
  ]) {
    await tamper(id, data ?? {})
    await expectRefused(ada)
    await tamper(id, back ?? {})
  }
  expect((await lend(ada)).apiKey).toBe('sk-canary-one')
  await tamper(id, { user: { connect: { id: eve.userId } } })
  await expectRefused(eve)
})
