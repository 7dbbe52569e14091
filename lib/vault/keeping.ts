import { v7 as newId } from 'uuid'
import type { Actor, Origin } from '../auth'
import type {
  CreateCredential,
  CredentialRecord,
  CredentialScope,
  CredentialType,
  UpdateCredential,
} from '../contracts/credentials'
import { db, type Transaction } from '../db'
import { env } from '../env'
import { AppError } from '../errors'
import { requireCallable } from '../reach'
import { recordDeed } from './deeds'
import { getMaster, holdNewestKek, type Master } from './key'
import { announceChange } from './lending'
import { openRow } from './opening'
import { type CredentialRow, lastFour, sealedFor, toCredentialRecord, withOwner } from './records'
import { lockCredential, requireScope } from './rights'
import { type Secret, sealSecret } from './seal'

const maxPerOwner = 100

/** Where a key goes if nothing else is said; `OPENAI_BASE_URL` holds for every OpenAI key of the server. */
function defaultBaseUrl(type: CredentialType): string {
  if (type === 'openai') return env().OPENAI_BASE_URL
  return type === 'anthropic' ? 'https://api.anthropic.com' : ''
}

/** Seals a key, bound to its owner and to one address. Throws not_found, forbidden, conflict, invalid_input. */
export async function createCredential(
  actor: Actor,
  input: CreateCredential,
  origin: Origin,
): Promise<CredentialRecord> {
  const master = await getMaster()
  const { scope, credentialType: type, label = null } = input
  requireOwnName(actor, scope, input.username)
  const projectId = input.projectId ?? null
  const owner = { scope, userId: scope === 'user' ? actor.userId : null, projectId }
  const identity = { id: newId(), version: 1, ...owner }
  const baseUrl = input.baseUrl ?? defaultBaseUrl(type)
  if (input.baseUrl !== undefined) requireCallable(input.baseUrl)
  const apiKey = input.credentials.api_key
  const row = await db().$transaction(async (tx) => {
    const kek = await holdNewestKek(tx, master)
    await requireScope(tx, actor, owner)
    await requireRoom(tx, owner)
    const sealed = sealSecret(kek, sealedFor(identity), { apiKey, baseUrl })
    const made = await tx.credential.create({
      data: {
        ...identity,
        ...sealed,
        type,
        label,
        baseUrl,
        last4: lastFour(apiKey),
        expiresAt: toDate(input.expiresAt),
        createdBy: actor.userId,
        createdAt: new Date(),
      },
      include: withOwner,
    })
    await recordDeed(tx, { actor, origin, action: 'credential.create', row: made })
    return made
  })
  announceChange()
  return toCredentialRecord(row)
}

function toDate(time: string | null | undefined): Date | null {
  return time ? new Date(time) : null
}

function requireOwnName(actor: Actor, scope: CredentialScope, username: string | undefined): void {
  if (scope !== 'user' || username === undefined) return
  if (username.trim().toLowerCase() === actor.email) return
  throw new AppError('forbidden', 'You can keep keys of your own, not those of another account.')
}

type Owner = { scope: CredentialScope; userId: string | null; projectId: string | null }

/** Keys of one owner are added in turn, so that their number is what was counted. */
async function requireRoom(tx: Transaction, { scope, userId, projectId }: Owner): Promise<void> {
  const owner = `vault ${scope} ${userId ?? projectId ?? ''}`
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${owner}, 0))`
  if ((await tx.credential.count({ where: { scope, userId, projectId } })) < maxPerOwner) return
  throw new AppError('conflict', `There are ${maxPerOwner} keys here already. Delete one that is not used.`)
}

/**
 * Changes what is given. Another address or kind, and a key that leaves those who share it, need the key itself again.
 * Throws not_found, forbidden, conflict, invalid_input, provider_auth.
 */
export async function updateCredential(
  actor: Actor,
  credentialId: string,
  input: UpdateCredential,
  origin: Origin,
): Promise<CredentialRecord> {
  if (input.baseUrl !== undefined) requireCallable(input.baseUrl)
  const master = await getMaster()
  const row = await db().$transaction(async (tx) => {
    const kek = await holdNewestKek(tx, master)
    const known = await lockCredential(tx, actor, credentialId)
    const next = planChange(actor, known, input)
    if (next.isMoved) {
      await requireScope(tx, actor, next.owner)
      await requireRoom(tx, next.owner)
    }
    const secret = await findSecret(tx, { master, known, next })
    const version = known.version + 1
    const boundTo = sealedFor({ ...next.owner, id: known.id, version })
    const isReplaced = next.apiKey !== undefined
    const changed = await tx.credential.update({
      where: { id: credentialId },
      data: {
        label: input.label,
        expiresAt: isReplaced || input.expiresAt !== undefined ? toDate(input.expiresAt) : undefined,
        ...(secret && { ...sealSecret(kek, boundTo, secret), ...next.owner, ...next.goal, version }),
        ...(isReplaced && {
          last4: lastFour(next.apiKey ?? ''),
          lastUsedAt: null,
          failure: null,
          failedAt: null,
        }),
      },
      include: withOwner,
    })
    const fields = Object.entries(input).flatMap(([name, value]) => (value === undefined ? [] : [name]))
    await recordDeed(tx, { actor, origin, action: 'credential.update', row: changed, changed: fields })
    return changed
  })
  announceChange()
  return toCredentialRecord(row)
}

type Change = {
  owner: Owner
  goal: { type: CredentialType; baseUrl: string }
  isMoved: boolean
  apiKey: string | undefined
}

/** Whose the key is to be and where it is to go. Throws forbidden, invalid_input. */
function planChange(actor: Actor, known: CredentialRow, input: UpdateCredential): Change {
  const scope = input.scope ?? (input.projectId ? 'project' : (known.scope as CredentialScope))
  requireOwnName(actor, scope, input.username)
  const projectId = scope === 'project' ? (input.projectId ?? known.projectId) : null
  if (scope === 'project' && projectId === null) {
    throw invalid('projectId', 'A project key needs the project; other keys have none.')
  }
  const owner = { scope, userId: scope === 'user' ? actor.userId : null, projectId }
  const isMoved = scope !== known.scope || projectId !== known.projectId
  const type = input.credentialType ?? (known.type as CredentialType)
  const baseUrl = input.baseUrl ?? (type === known.type ? known.baseUrl : defaultBaseUrl(type))
  if (!baseUrl)
    throw invalid('baseUrl', 'Enter the address of the server, such as http://127.0.0.1:11434/v1.')
  const apiKey = input.credentials?.api_key
  if (apiKey === undefined && (baseUrl !== known.baseUrl || type !== known.type)) {
    throw invalid('credentials', 'To send a key to another address, enter the key again.')
  }
  // Or an editor could take the project's key along to where it goes on serving after having left.
  if (apiKey === undefined && isMoved && known.scope !== 'user') {
    throw invalid('credentials', 'To take a key away from those who share it, enter the key again.')
  }
  return { owner, goal: { type, baseUrl }, isMoved, apiKey }
}

function invalid(path: string, message: string): AppError {
  return new AppError('invalid_input', `${path}: ${message}`, { issues: [{ path, message }] })
}

type Held = { master: Master; known: CredentialRow; next: Change }

/** What is to be sealed: the key that was entered, or for another owner the one that is there; null where nothing changes. */
async function findSecret(tx: Transaction, { master, known, next }: Held): Promise<Secret | null> {
  if (next.apiKey !== undefined) return { apiKey: next.apiKey, baseUrl: next.goal.baseUrl }
  if (!next.isMoved) return null
  return openRow(master, known, await tx.vaultKey.findUnique({ where: { version: known.kekVersion } }))
}

/** Deletes a key; the next call does without it. Throws not_found, forbidden. */
export async function deleteCredential(actor: Actor, credentialId: string, origin: Origin): Promise<void> {
  await db().$transaction(async (tx) => {
    const row = await lockCredential(tx, actor, credentialId)
    await recordDeed(tx, { actor, origin, action: 'credential.delete', row })
    await tx.credential.delete({ where: { id: credentialId } })
  })
  announceChange()
}
