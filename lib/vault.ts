import { type Actor, findUser, type Origin } from './auth'
import type {
  CredentialRecord,
  CredentialView,
  FindCredentials,
  KeyConcern,
  ResolutionStep,
  RotationRecord,
  VaultKeyState,
} from './contracts/credentials'
import type { Listing } from './contracts/primitives'
import { db } from './db'
import { env } from './env'
import { AppError } from './errors'
import { log } from './log'
import { after, cursorOf, newestFirst, readCursor, toListing } from './paging'
import { findConcern, inOrderOfConcern } from './vault/concerns'
import { recordDeed } from './vault/deeds'
import { explainSearch } from './vault/explain'
import { getMaster } from './vault/key'
import { readKeyState } from './vault/key-state'
import { explainLoan, findLentKey, findLentKeys, type LentKey, noteUse, openStored } from './vault/lending'
import { type CredentialRow, toCredentialRecord, toCredentialView, withOwner } from './vault/records'
import {
  type CredentialQuery,
  findServingKeys,
  findWant,
  noKey,
  type ServingKey,
  toServingKey,
} from './vault/resolve'
import { lockCredential, visibleTo } from './vault/rights'
import { beginRotation } from './vault/rotation'

export { countKeys } from './vault/counts'
export { createCredential, deleteCredential, updateCredential } from './vault/keeping'
export type { LentKey } from './vault/lending'
export { noteOutcome } from './vault/outcome'
export { checkPapita } from './vault/papita-health'
export type { CredentialQuery, ServingKey } from './vault/resolve'
export { revealCredential, revealGlobalCredential } from './vault/reveal'
export { resumeRotation, stopRotation } from './vault/rotation'

const maxConcerns = 100
/** More than any page is of use with; `pageCredentials` has no end. */
const maxListed = 1000

/** Checks at boot that the server has the key that the vault is sealed with. Throws unavailable, and changes nothing then. */
export async function verifyVaultKey(): Promise<void> {
  await getMaster()
  if (env().VAULT_KEY_PREVIOUS === undefined) return
  log().warn(
    'the vault is kept under VAULT_KEY now: VAULT_KEY_PREVIOUS is not needed any more, and can be removed',
  )
}

/** What pages show of the records that the actor sees: own, those of own projects, and, for an admin, those for everyone; newest first, 1000 at most. */
export async function listCredentials(actor: Actor): Promise<CredentialView[]> {
  const rows = await db().credential.findMany({
    where: visibleTo(actor),
    include: withOwner,
    orderBy: newestFirst,
    take: maxListed,
  })
  return rows.map(toCredentialView)
}

/** Of the records that the actor sees, those that have expired, fail, or expire within 14 days; in that order, 100 at most. */
export async function listKeyConcerns(actor: Actor): Promise<KeyConcern[]> {
  const seen = await listCredentials(actor)
  return seen
    .flatMap((credential) => findConcern(credential) ?? [])
    .sort(inOrderOfConcern)
    .slice(0, maxConcerns)
}

/** The same, page by page, of one owner, kind or project if that is said. Throws invalid_input for a cursor that no list gave. */
export async function pageCredentials(
  actor: Actor,
  page: FindCredentials,
): Promise<Listing<CredentialRecord>> {
  const { username, credentialType: type, projectId } = page
  const wanted = { type, projectId, user: username ? { email: username.toLowerCase() } : undefined }
  const rows = await db().credential.findMany({
    where: { AND: [visibleTo(actor), wanted, after(readCursor(page.cursor))] },
    include: withOwner,
    orderBy: newestFirst,
    take: page.limit + 1,
  })
  return toListing(rows, page.limit, { record: toCredentialRecord, cursor: cursorOf })
}

/**
 * Lends the key that serves the actor in a project to one call, and takes it back.
 * The order: Papita's for the user, Papita's for everyone, own, project's, everyone's, `OPENAI_API_KEY`, and for `auto`
 * the demo model. Papita can delay this by 2 s, and not fail it.
 * Throws not_found for a project that is not shared with the actor, provider_auth if there is no key.
 */
export async function withCredential<T>(
  actor: Actor,
  want: CredentialQuery,
  use: (key: LentKey) => Promise<T>,
): Promise<T> {
  return lendKey(await findLentKey(actor, want), use)
}

/**
 * All keys that would serve the actor, opened and in the order of `withCredential`, for a caller that goes on to the
 * next where one fails; each call with one is made in `lendKey`. What does not open is passed over, unless nothing else
 * is there but the demo model. Throws as `withCredential`.
 */
export async function listLentKeys(actor: Actor, want: CredentialQuery): Promise<LentKey[]> {
  return findLentKeys(actor, want)
}

/** Lends one of the keys of `listLentKeys` to one call: its use is noted, and an error says whose key it was. */
export async function lendKey<T>(key: LentKey, use: (key: LentKey) => Promise<T>): Promise<T> {
  noteUse(key.credentialId)
  try {
    return await use(key)
  } catch (error) {
    throw explainLoan(key, error)
  }
}

/** Lends a stored key for a test, written down before it is lent. Throws not_found, forbidden, provider_auth. */
export async function withStoredCredential<T>(
  actor: Actor,
  credentialId: string,
  origin: Origin,
  use: (key: LentKey) => Promise<T>,
): Promise<T> {
  const row = await db().$transaction(async (tx) => {
    const known = await lockCredential(tx, actor, credentialId)
    await recordDeed(tx, { actor, origin, action: 'credential.test', row: known })
    return known
  })
  if (row.expiresAt && row.expiresAt <= new Date()) throw expired(row)
  noteUse(row.id)
  return use(await openStored(toServingKey(row)))
}

function expired({ expiresAt, last4 }: CredentialRow): AppError {
  const name = last4 ? `The key ending ${last4}` : 'This key'
  const day = expiresAt?.toISOString().slice(0, 10)
  const message = `${name} is not used any more: it expired on ${day}. Replace it, or give it a later day.`
  return new AppError('provider_auth', message, { facts: { remedy: 'vault' } })
}

/** Which key would serve, without the key; for a visitor (null) only what serves everyone. Throws not_found, provider_auth. */
export async function findServingKey(actor: Actor | null, want: CredentialQuery): Promise<ServingKey> {
  const [serving] = (await findServingKeys(actor, want)).keys
  if (!serving) throw noKey(want.provider)
  return serving
}

/** For whom and what the order is asked: for an agent, or for a project and provider; without a user, for the actor. */
type Question = ({ agentId?: string } | Partial<CredentialQuery>) & { userId?: string }

/**
 * The order in which a key is looked for, and what is found at each step. An admin may ask for another user, and is told
 * of that user's keys, and of those of projects, only that they are there.
 * Throws not_found for what is not shared with that user, forbidden.
 */
export async function explainResolution(
  actor: Actor,
  { userId, ...about }: Question = {},
): Promise<ResolutionStep[]> {
  const isTheirs = userId === undefined || userId === actor.userId
  const subject = isTheirs ? actor : await getSubject(actor, userId)
  return explainSearch({ subject, want: await findWant(subject, about), isTheirs })
}

async function getSubject(actor: Actor, userId: string): Promise<Actor> {
  if (actor.role !== 'admin') {
    throw new AppError('forbidden', 'Only an admin can ask which key would serve someone else.')
  }
  const subject = await findUser(userId)
  if (!subject) throw new AppError('not_found', 'There is no such account, or it is disabled.')
  // What a key of the admin's does not reach, it does not reach by way of someone else.
  return { ...subject, boundTo: actor.boundTo }
}

/**
 * Begins to seal everything under a new key, while all goes on being served; one that is under way goes on, and is what
 * is told. For admins who are signed in. Throws forbidden.
 */
export async function rotateVault(actor: Actor, origin: Origin): Promise<RotationRecord> {
  if (actor.role !== 'admin' || actor.keyId !== null) {
    throw new AppError('forbidden', 'Only an admin who is signed in can change the key of the vault.')
  }
  return beginRotation({ actorId: actor.userId, ip: origin.ip, requestId: origin.requestId })
}

/** The vault's own key, without the key, and how far its rotation is; null for those who are no admins. */
export async function findVaultKeyState(actor: Actor): Promise<VaultKeyState | null> {
  return actor.role === 'admin' ? readKeyState() : null
}
