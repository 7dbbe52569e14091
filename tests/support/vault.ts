import { v7 as newId } from 'uuid'
import { expect } from 'vitest'
import type { Actor } from '../../lib/auth'
import { CreateCredential } from '../../lib/contracts/credentials'
import { db } from '../../lib/db'
import { createCredential } from '../../lib/vault'
import { getMaster, kekOf } from '../../lib/vault/key'
import { openRecord } from '../../lib/vault/opening'
import { sealSecret } from '../../lib/vault/seal'
import { origin } from './library'

export const baseUrl = 'http://127.0.0.1:9/v1'

/** Keeps a key for someone as the API would. */
export async function keepKey(by: Actor, apiKey: string, more: object = {}) {
  const input = { credentialType: 'openai', baseUrl, credentials: { api_key: apiKey }, ...more }
  return createCredential(by, CreateCredential.parse(input), origin)
}

/** What lies in a record, whichever version it is. */
export async function openNow(id: string) {
  const { version } = await db().credential.findUniqueOrThrow({ where: { id } })
  return openRecord(id, version)
}

/** Keeps many keys of one owner at once; returns the key of each record by its id. */
export async function keepMany(by: Actor, count: number): Promise<Map<string, string>> {
  const master = await getMaster()
  const newest = await db().vaultKey.findFirstOrThrow({ orderBy: { version: 'desc' } })
  const kek = kekOf(master, newest)
  const kept = new Map<string, string>()
  const data = Array.from({ length: count }, (_, n) => {
    const [id, apiKey] = [newId(), `sk-test-many-${n}`]
    kept.set(id, apiKey)
    const boundTo = { scope: 'user', ownerId: by.userId, id, version: 1 }
    const record = { id, scope: 'user', userId: by.userId, type: 'openai', baseUrl, last4: '' }
    return { ...record, ...sealSecret(kek, boundTo, { apiKey, baseUrl }) }
  })
  await db().credential.createMany({ data })
  return kept
}

/** Waits until only one key of the vault is left that anything may lie under, and returns its number. */
export async function untilRotated(withinMs = 25_000): Promise<number> {
  const live = () => db().vaultKey.findMany({ where: { retiredAt: null } })
  await expect.poll(async () => (await live()).length, { timeout: withinMs, interval: 20 }).toBe(1)
  return (await live())[0]?.version ?? 0
}
