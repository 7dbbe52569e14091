import { v7 as newId } from 'uuid'
import { recordAudit } from '../audit'
import {
  adminScopes,
  type CreatedKey,
  type CreateKey,
  type KeyRecord,
  type Scope,
  type UpdateKey,
} from '../contracts/keys'
import { Id, type Listing } from '../contracts/primitives'
import { db, type Transaction } from '../db'
import { AppError } from '../errors'
import { after, cursorOf, newestFirst, type PageRequest, readCursor, toListing } from '../paging'
import { announceAccessChange } from './access'
import type { Actor, Origin } from './actor'
import { changesOf, type KeyRow, toColumns, toDetail, toKeyRecord, withMeter } from './key-record'
import { hashKeyText, makeKeyText } from './key-text'

/** How many keys one user may have that are not revoked. */
const maxPerUser = 100

/** The actor's own keys that are not revoked, newest first. Throws invalid_input for a bad cursor. */
export async function listKeys(
  actor: Actor,
  page: PageRequest = { limit: 100 },
): Promise<Listing<KeyRecord>> {
  const rows = await db().apiKey.findMany({
    where: { userId: actor.userId, revokedAt: null, ...after(readCursor(page.cursor)) },
    orderBy: newestFirst,
    take: page.limit + 1,
    include: withMeter,
  })
  return toListing(rows, page.limit, { record: (row) => toKeyRecord(row), cursor: cursorOf })
}

/** One of the actor's keys. Throws not_found, for one that was revoked as well. */
export async function getKey(actor: Actor, keyId: string): Promise<KeyRecord> {
  if (!Id.safeParse(keyId).success) throw noSuchKey()
  const mine = { id: keyId, userId: actor.userId, revokedAt: null }
  const row = await db().apiKey.findFirst({ where: mine, include: withMeter })
  if (!row) throw noSuchKey()
  return toKeyRecord(row)
}

/**
 * Makes a key; this answer alone has it, only its hash is kept.
 * Throws not_found for a project that is not shared with the actor, forbidden for scopes of admins, conflict at 100 keys.
 */
export async function createKey(actor: Actor, input: CreateKey, origin: Origin): Promise<CreatedKey> {
  const key = makeKeyText()
  const projectId = input.project_id ?? null
  const row = await db().$transaction(async (tx) => {
    const role = await lockOwner(tx, actor.userId)
    requireRightTo(input.scopes, role)
    if (projectId !== null) await requireMember(tx, actor.userId, projectId)
    await requireRoom(tx, actor.userId)
    const made = await tx.apiKey.create({
      data: {
        id: newId(),
        userId: actor.userId,
        projectId,
        hash: hashKeyText(key),
        last4: key.slice(-4),
        scopes: input.scopes,
        ...toColumns(input),
        name: input.name,
        createdAt: new Date(),
        expiresAt: input.expires_at ? new Date(input.expires_at) : null,
      },
      include: withMeter,
    })
    await audit(tx, { actor, origin, action: 'key.create', row: made })
    return made
  })
  return { ...toKeyRecord(row), key }
}

/**
 * Changes what a key of the actor's is called and may do in the gateway, from its next call on: what a key may is read
 * with each. What is not given stays. Throws not_found, for one that was revoked as well.
 */
export async function updateKey(
  actor: Actor,
  keyId: string,
  { input, origin }: { input: UpdateKey; origin: Origin },
): Promise<KeyRecord> {
  const record = await db().$transaction(async (tx) => {
    await lockKey(tx, actor.userId, keyId)
    const which = { where: { id: keyId }, include: withMeter }
    const before = await tx.apiKey.findUniqueOrThrow(which)
    await tx.apiKey.update({ where: { id: keyId }, data: toColumns(input) })
    await openMeter(tx, keyId)
    const row = await tx.apiKey.findUniqueOrThrow(which)
    const changed = changesOf(before, row)
    if (changed.length > 0) await audit(tx, { actor, origin, action: 'key.update', row, changed })
    return toKeyRecord(row)
  })
  announceAccessChange(actor.userId)
  return record
}

/** Ends a key of the actor's at once, on live streams too; its row stays. Throws not_found, for one that ended as well. */
export async function revokeKey(actor: Actor, keyId: string, origin: Origin): Promise<void> {
  await db().$transaction(async (tx) => {
    const mine = { id: keyId, userId: actor.userId, revokedAt: null }
    const { count } = await tx.apiKey.updateMany({ where: mine, data: { revokedAt: new Date() } })
    if (count === 0) throw noSuchKey()
    const row = await tx.apiKey.findUniqueOrThrow({ where: { id: keyId }, include: withMeter })
    await audit(tx, { actor, origin, action: 'key.revoke', row })
  })
  announceAccessChange(actor.userId)
}

function noSuchKey(): AppError {
  return new AppError('not_found', 'There is no such API key, or it is not yours.')
}

/** One change after the other, so that each is written down against what it changed. Throws not_found. */
async function lockKey(tx: Transaction, userId: string, keyId: string): Promise<void> {
  const found = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM api_keys
    WHERE id = ${keyId}::uuid AND user_id = ${userId}::uuid AND revoked_at IS NULL FOR NO KEY UPDATE`
  if (found.length === 0) throw noSuchKey()
}

/** A budget that the key did not have so far counts what it has spent already: its meter says so from now on. */
async function openMeter(tx: Transaction, keyId: string): Promise<void> {
  await tx.$queryRaw`
    SELECT 1 FROM api_keys k, LATERAL hold_key_meter(k.id, k.budget_period) AS held
    WHERE k.id = ${keyId}::uuid AND k.budget_usd IS NOT NULL`
}

/** Keys of one user are made in turn, so that their number is what was counted. Gives the owner's role at this moment. */
async function lockOwner(tx: Transaction, userId: string): Promise<string> {
  const [owner] = await tx.$queryRaw<{ role: string }[]>`
    SELECT role FROM users WHERE id = ${userId}::uuid AND disabled_at IS NULL FOR NO KEY UPDATE`
  if (!owner) throw new AppError('unauthenticated', 'Sign in first.')
  return owner.role
}

function requireRightTo(scopes: readonly Scope[], role: string): void {
  const beyond = scopes.filter((scope) => adminScopes.includes(scope))
  if (role === 'admin' || beyond.length === 0) return
  throw new AppError('forbidden', `Only an admin can make keys with the scope ${beyond.join(' or ')}.`)
}

async function requireMember(tx: Transaction, userId: string, projectId: string): Promise<void> {
  const member = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM project_members
    WHERE project_id = ${projectId}::uuid AND user_id = ${userId}::uuid FOR SHARE`
  if (member.length > 0) return
  throw new AppError('not_found', 'There is no such project, or it is not shared with you.')
}

async function requireRoom(tx: Transaction, userId: string): Promise<void> {
  if ((await tx.apiKey.count({ where: { userId, revokedAt: null } })) < maxPerUser) return
  throw new AppError('conflict', `You have ${maxPerUser} API keys already. Revoke one that is not used.`)
}

type Audited = { actor: Actor; origin: Origin; row: KeyRow } & (
  | { action: 'key.create' | 'key.revoke' }
  | { action: 'key.update'; changed: string[] }
)

async function audit(tx: Transaction, { actor, origin, row, ...deed }: Audited): Promise<void> {
  const { ip, requestId } = origin
  const who = { actorId: actor.userId, target: row.id, ip, requestId }
  const { action, ...more } = deed
  await recordAudit({ ...who, action, detail: { ...toDetail(row), ...more } }, tx)
}
