import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { db } from '@/lib/db'
import { remember } from '@/lib/remember'
import { resumeRotation, rotateVault, stopRotation } from '@/lib/vault'
import { type Master, proveSecret } from '@/lib/vault/key'
import { makeActor, openLibrary, origin } from '../support/library'
import { keepKey, keepMany, openNow, untilRotated } from '../support/vault'

/*
 * The secret of the server itself becomes another. What follows stands on what went before: it is one life of a vault.
 */

const secrets = [
  'the first secret, of 32 bytes or more',
  'the second secret, of 32 bytes or more',
  'the third secret, of 32 bytes or more',
]
let close: () => Promise<void>
let admin: Actor
let id: string

beforeAll(async () => {
  close = await openLibrary({ VAULT_KEY: secrets[0] ?? '' })
  admin = await makeActor('admin', 'admin')
  id = (await keepKey(admin, 'sk-test-kept-01')).id
})
afterAll(async () => {
  await stopRotation()
  await close()
})

/** Starts as a server does that has these secrets. */
async function start(now: number, previous?: number): Promise<void> {
  await stopRotation()
  const source = {
    exists: () => true,
    read: () => secrets[now] ?? '',
    previous: () => (previous === undefined ? undefined : secrets[previous]),
  }
  const master = await proveSecret(source)
  remember('vault.master', () => ({ master: null as Promise<Master> | null })).master =
    Promise.resolve(master)
  await resumeRotation()
}

const dump = () => Promise.all([db().credential.findMany(), db().vaultKey.findMany()])
const keyInRecord = async () => (await openNow(id)).apiKey

test('with a former secret that is wrong too, nothing is opened and nothing changed', async () => {
  const before = await dump()
  await expect(start(1, 2)).rejects.toMatchObject({ code: 'unavailable' })
  await expect(start(1)).rejects.toMatchObject({
    message: expect.stringMatching(
      /^VAULT_KEY .* 1 credential .* VAULT_KEY_PREVIOUS .* Nothing was changed\.$/,
    ),
  })
  expect(await dump()).toEqual(before)
})

test('the first key, which came out of the former secret, goes on under the new one and is retired', async () => {
  await start(1, 0)
  expect(await keyInRecord()).toBe('sk-test-kept-01')
  expect(await untilRotated()).toBe(2)
  expect(await keyInRecord()).toBe('sk-test-kept-01')
  await expect(start(0)).rejects.toMatchObject({ code: 'unavailable' })
  await start(1, 0)
  await start(1)
  expect(await db().vaultKey.count()).toBe(2)
  expect(await keyInRecord()).toBe('sk-test-kept-01')
  expect(await db().auditEvent.count({ where: { action: 'vault.rewrapped' } })).toBe(1)
})

test('in the middle of a rotation the secret changes as well, and the rotation goes on under the new one', async () => {
  await keepMany(admin, 200)
  await stopRotation()
  const { to_version } = await rotateVault(admin, origin)
  await start(2, 1)
  expect(await untilRotated()).toBe(to_version)
  expect(await keyInRecord()).toBe('sk-test-kept-01')
  await expect(start(1)).rejects.toMatchObject({ code: 'unavailable' })
  await start(2)
})

test('an emptied vault takes any secret after rotations too, under a new number, and refuses the former', async () => {
  await db().credential.deleteMany()
  await start(0)
  id = (await keepKey(admin, 'sk-test-kept-02')).id
  const live = await db().vaultKey.findMany({ where: { retiredAt: null } })
  expect(live.map(({ version }) => version)).toEqual([4])
  expect(await keyInRecord()).toBe('sk-test-kept-02')
  await expect(start(2)).rejects.toMatchObject({ code: 'unavailable' })
})
