import type { Actor } from '../auth'
import { publish, subscribe } from '../bus'
import { db } from '../db'
import { env } from '../env'
import { AppError } from '../errors'
import { log } from '../log'
import { remember } from '../remember'
import { openRecord } from './opening'
import { type CredentialQuery, findServingKeys, noKey, requireMembership, type ServingKey } from './resolve'

/** A key for one call to one host, with where it came from. The demo model has none. */
export type LentKey = ServingKey & { apiKey: string | null }

const topic = 'vault:changed'
const heldMs = 60_000
const maxHeld = 1000
const touchedEveryMs = 60_000

type Held = { key: LentKey; timer: NodeJS.Timeout }
type Lending = { held: Map<string, Held>; generation: number; touchedAt: Map<string, number> }

/** Keys that were lent lately. Any change in the vault empties this at once. */
function lending(): Lending {
  return remember('vault.lending', () => {
    const state: Lending = { held: new Map(), generation: 0, touchedAt: new Map() }
    subscribe(topic, () => {
      state.generation += 1
      for (const { timer } of state.held.values()) clearTimeout(timer)
      state.held.clear()
      state.touchedAt.clear()
    })
    return state
  })
}

/** Has every server forget what it holds of keys. */
export function announceChange(): void {
  lending()
  publish(topic, {})
}

/** The key that serves, opened. Throws not_found for a stranger's project, provider_auth if there is none or it does not open. */
export async function findLentKey(actor: Actor, want: CredentialQuery): Promise<LentKey> {
  const name = `${actor.userId}|${want.projectId}|${want.provider}`
  const held = lending().held.get(name)
  if (held && !hasExpired(held.key)) {
    await requireMembership(actor, want.projectId)
    return held.key
  }
  const { generation } = lending()
  const [serving] = await findServingKeys(actor, want)
  if (!serving) throw noKey(want.provider)
  const key = await openKey(serving)
  if (lending().generation === generation) hold(name, key)
  return key
}

function hasExpired({ expiresAt }: ServingKey): boolean {
  return expiresAt !== undefined && expiresAt.getTime() <= Date.now()
}

function hold(name: string, key: LentKey): void {
  const { held } = lending()
  const oldest = held.size >= maxHeld ? held.keys().next().value : undefined
  for (const stale of [name, oldest]) {
    if (stale === undefined) continue
    clearTimeout(held.get(stale)?.timer)
    held.delete(stale)
  }
  const timer = setTimeout(() => held.delete(name), heldMs).unref()
  held.set(name, { key, timer })
}

async function openKey(serving: ServingKey): Promise<LentKey> {
  if (serving.source === 'demo') return { ...serving, apiKey: null }
  if (serving.credentialId === null) return { ...serving, apiKey: env().OPENAI_API_KEY ?? null }
  return { ...serving, apiKey: await openStored(serving.credentialId, serving.baseUrl) }
}

/** The key in a record, which must be going to the address that it was sealed with. Throws not_found, provider_auth. */
export async function openStored(credentialId: string, baseUrl: string): Promise<string> {
  const secret = await openRecord(credentialId)
  if (secret.baseUrl !== baseUrl) {
    const message =
      'A key in the vault is not sent: the address in its record was changed. Delete it there and add the key again.'
    throw new AppError('provider_auth', message, { facts: { remedy: 'vault' } })
  }
  return secret.apiKey
}

/** Notes that a key was used, at most once a minute, without making anyone wait. */
export function noteUse(credentialId: string | null): void {
  const { touchedAt } = lending()
  const now = Date.now()
  if (credentialId === null || now - (touchedAt.get(credentialId) ?? 0) < touchedEveryMs) return
  touchedAt.set(credentialId, now)
  db()
    .credential.updateMany({ where: { id: credentialId }, data: { lastUsedAt: new Date(now) } })
    .catch((err: unknown) => log().warn({ err, credentialId }, 'the last use of a key was not noted'))
}
