import type { Actor } from '../auth'
import { publish, subscribe } from '../bus'
import { sql } from '../db'
import { env } from '../env'
import { AppError, asAppError } from '../errors'
import { log } from '../log'
import { remember } from '../remember'
import { Held } from './held'
import { openRecord } from './opening'
import { forgetPapita, keyIn } from './papita'
import {
  type CredentialQuery,
  findInPapita,
  findOwnKeys,
  noKey,
  papitaKey,
  requireMembership,
  type ServingKey,
} from './resolve'

/** A key for one call to one host, with where it came from. The demo model has none. */
export type LentKey = ServingKey & { apiKey: string | null }

const topic = 'vault:changed'
const heldMs = 60_000
const maxHeld = 1000
const touchedEveryMs = 60_000
/** How often the order is looked through where its first key goes away meanwhile. */
const maxLooks = 3

/** The keys of this house that open, in their order, and what is wrong with the first that does not. */
type OpenedKeys = { keys: LentKey[]; fault: AppError | null }

type Lending = {
  held: Held<LentKey>
  lists: Held<OpenedKeys>
  generation: number
  touchedAt: Map<string, number>
}

/** Keys that were lent lately. Any change in the vault empties this at once. */
function lending(): Lending {
  return remember('vault.lending', () => {
    const state: Lending = {
      held: new Held(maxHeld),
      lists: new Held(maxHeld),
      generation: 0,
      touchedAt: new Map(),
    }
    subscribe(topic, () => {
      state.generation += 1
      state.held.drop(() => true)
      state.lists.drop(() => true)
      state.touchedAt.clear()
      forgetPapita()
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
  const { generation, held } = lending()
  const apiKey = keyIn(await findInPapita(actor, want))
  if (apiKey !== null) return { ...papitaKey(apiKey), apiKey }
  const name = nameOf(actor, want)
  const known = held.get(name)
  if (known && !hasExpired(known)) {
    await requireMembership(actor, want.projectId)
    return known
  }
  const key = await openServing(actor, want, maxLooks)
  if (lending().generation === generation) held.set(name, key, heldMs)
  return key
}

function nameOf({ userId }: Actor, { projectId, provider }: CredentialQuery): string {
  return `${userId}|${projectId}|${provider}`
}

/**
 * All keys that would serve, opened, in the order in which they are taken. One that does not open is passed over if
 * another key does; the demo model is none. Throws not_found for a stranger's project, provider_auth if there is none.
 */
export async function findLentKeys(actor: Actor, want: CredentialQuery): Promise<LentKey[]> {
  const apiKey = keyIn(await findInPapita(actor, want))
  const papitas = apiKey === null ? [] : [{ ...papitaKey(apiKey), apiKey }]
  const { keys, fault } = await findOpened(actor, want)
  const all = [...papitas, ...keys]
  if (fault !== null && all.every(({ provider }) => provider === 'demo')) throw fault
  if (all.length === 0) throw noKey(want.provider)
  return all
}

async function findOpened(actor: Actor, want: CredentialQuery): Promise<OpenedKeys> {
  const { generation, lists } = lending()
  const known = lists.get(nameOf(actor, want))
  if (known && !known.keys.some(hasExpired)) {
    await requireMembership(actor, want.projectId)
    return known
  }
  const opened = await openAll(actor, want, maxLooks)
  if (lending().generation === generation) lists.set(nameOf(actor, want), opened, heldMs)
  return opened
}

/** What goes or changes before it is opened is looked for anew, as with one key. */
async function openAll(actor: Actor, want: CredentialQuery, looksLeft: number): Promise<OpenedKeys> {
  const opened = await Promise.allSettled((await findOwnKeys(actor, want)).map(openKey))
  const faults = opened.flatMap((one) => (one.status === 'rejected' ? [asAppError(one.reason)] : []))
  const severe = faults.find(({ code }) => code !== 'not_found' && code !== 'provider_auth')
  if (severe) throw severe
  if (looksLeft > 1 && faults.some(({ code }) => code === 'not_found')) {
    return openAll(actor, want, looksLeft - 1)
  }
  for (const err of faults) log().warn({ err }, 'a key that does not open is passed over')
  const keys = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  return { keys, fault: faults[0] ?? null }
}

function hasExpired({ expiresAt }: ServingKey): boolean {
  return expiresAt !== undefined && expiresAt.getTime() <= Date.now()
}

/** The first key of the order. One that goes or changes before it is opened is not a fault: then another one is first. */
async function openServing(actor: Actor, want: CredentialQuery, looksLeft: number): Promise<LentKey> {
  const [serving] = await findOwnKeys(actor, want)
  if (!serving) throw noKey(want.provider)
  try {
    return await openKey(serving)
  } catch (error) {
    if (looksLeft > 1 && asAppError(error).code === 'not_found') {
      return openServing(actor, want, looksLeft - 1)
    }
    throw error
  }
}

async function openKey(serving: ServingKey): Promise<LentKey> {
  if (serving.credentialId !== null) return openStored(serving)
  return { ...serving, apiKey: serving.source === 'environment' ? (env().OPENAI_API_KEY ?? null) : null }
}

/** What a call with a key of Papita's failed with; a key that its provider refused is not lent again, but asked for anew. */
export function explainLoan(key: LentKey, error: unknown): unknown {
  const fault = asAppError(error)
  if (key.source !== 'papita' || key.apiKey === null || fault.code !== 'provider_auth') return error
  forgetPapita(key.apiKey)
  const ending = key.last4 === null ? '' : ` ending ${key.last4}`
  const message = `OpenAI does not accept the key${ending} that Papita has. Replace it there.`
  return new AppError('provider_auth', message, { cause: error, facts: { remedy: 'vault' } })
}

/**
 * The key in a record, as it was when it was found: of that version, and going to the address that it was sealed with.
 * Throws not_found, provider_auth.
 */
export async function openStored(serving: ServingKey): Promise<LentKey> {
  const { credentialId, version, baseUrl } = serving
  if (credentialId === null || version === undefined) throw new Error('this key is in no record')
  const secret = await openRecord(credentialId, version)
  if (secret.baseUrl !== baseUrl) {
    const message =
      'A key in the vault is not sent: the address in its record was changed. Delete it there and add the key again.'
    throw new AppError('provider_auth', message, { facts: { remedy: 'vault' } })
  }
  return { ...serving, apiKey: secret.apiKey }
}

/** Notes that a key was used, at most once a minute, without making anyone wait. */
export function noteUse(credentialId: string | null): void {
  const { touchedAt } = lending()
  const now = Date.now()
  if (credentialId === null || now - (touchedAt.get(credentialId) ?? 0) < touchedEveryMs) return
  touchedAt.set(credentialId, now)
  // Not by the typed client, which would call it a change of the record.
  sql`UPDATE credentials SET last_used_at = ${new Date(now)} WHERE id = ${credentialId}::uuid`.catch(
    (err: unknown) => log().warn({ err, credentialId }, 'the last use of a key was not noted'),
  )
}
