import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { CreateCredential } from '@/lib/contracts/credentials'
import { db } from '@/lib/db'
import { createCredential } from '@/lib/vault'
import { proveSecret, type SecretSource } from '@/lib/vault/key'
import { makeActor, openLibrary, origin } from '../support/library'

const own = 'the secret of this server, 32 bytes or more'
let close: () => Promise<void>
let ada: Actor

beforeAll(async () => {
  close = await openLibrary({ VAULT_KEY: own })
  ada = await makeActor('ada')
})
afterAll(() => close())
beforeEach(async () => {
  await db().credential.deleteMany()
  await proveSecret(present(own))
})

const present = (secret: string): SecretSource => ({ exists: () => true, read: () => secret })

/** A server without a secret, which notes whether it was made to make one. */
function absent() {
  const source = { made: false, exists: () => false, read: () => '' }
  source.read = () => {
    source.made = true
    return 'a fresh secret, made because there was none'
  }
  return source
}

async function sealOne(): Promise<void> {
  const input = CreateCredential.parse({
    credentialType: 'openai',
    credentials: { api_key: 'sk-test-12345678' },
  })
  await createCredential(ada, input, origin)
}

const dump = async () => ({
  keys: await db().vaultKey.findMany(),
  credentials: await db().credential.findMany(),
})

test('the key that sealed the vault is recognised at the next start', async () => {
  await sealOne()
  await expect(proveSecret(present(own))).resolves.toMatchObject({ first: { version: 1 } })
})

test('another key is refused in one line that says what to do, and destroys nothing', async () => {
  await sealOne()
  const before = await dump()
  const refused = proveSecret(present('the secret of some other server, of 32 bytes'))
  await expect(refused).rejects.toMatchObject({ code: 'unavailable' })
  const { message } = (await refused.catch((error: unknown) => error)) as Error
  expect(message).toMatch(/^VAULT_KEY .* 1 credential is sealed with the right one\. Put that one back\..*$/)
  expect(await dump()).toEqual(before)
})

test('a missing key is refused while anything is sealed, and no fresh one is made', async () => {
  await sealOne()
  const before = await dump()
  const source = absent()
  await expect(proveSecret(source)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(
      /^The key of the vault is missing.*VAULT_KEY to what it was\. Nothing was changed\.$/,
    ),
  })
  expect(source.made).toBe(false)
  expect(await dump()).toEqual(before)
})

test('an empty vault takes a fresh key, and refuses the former one from then on', async () => {
  const fresh = absent()
  await expect(proveSecret(fresh)).resolves.toMatchObject({ first: { version: 1 } })
  expect(fresh.made).toBe(true)
  // This server still holds the former key: what it would seal now, nobody could open after its end.
  await expect(sealOne()).rejects.toMatchObject({ code: 'unavailable' })
  expect(await db().credential.count()).toBe(0)
})

test('a vault whose proof was lost is not opened with a guess', async () => {
  await sealOne()
  await db().vaultKey.deleteMany()
  const before = await dump()
  await expect(proveSecret(present(own))).rejects.toMatchObject({ code: 'unavailable' })
  expect(await dump()).toEqual(before)
})

test('servers that start at once on an empty vault agree on one key', async () => {
  await db().vaultKey.deleteMany()
  const secrets = Array.from(
    { length: 8 },
    (_, n) => `secret number ${n} of 32 bytes, or even more than that`,
  )
  await Promise.all(secrets.map((secret) => proveSecret(present(secret))))
  const { proof } = await db().vaultKey.findUniqueOrThrow({ where: { version: 1 } })
  const { deriveKek, isProofOf } = await import('@/lib/vault/seal')
  expect(secrets.filter((secret) => isProofOf(deriveKek(secret, 1), proof))).toHaveLength(1)
})
