import { v7 as newId } from 'uuid'
import { recordAudit } from '../audit'
import {
  adminScopes,
  type BudgetPeriod,
  type CreatedKey,
  type CreateKey,
  type KeyRecord,
  type Scope,
} from '../contracts/keys'
import type { Listing } from '../contracts/primitives'
import { db, type Prisma, type Transaction } from '../db'
import { AppError } from '../errors'
import { after, cursorOf, newestFirst, type PageRequest, readCursor, toListing } from '../paging'
import { announceAccessChange } from './access'
import type { Actor, Origin } from './actor'
import { hashKeyText, makeKeyText } from './key-text'

/** How many keys one user may have that are not revoked. */
const maxPerUser = 100

type KeyRow = Prisma.ApiKeyGetPayload<object>

/** The actor's own keys that are not revoked, newest first. Throws invalid_input for a bad cursor. */
export async function listKeys(
  actor: Actor,
  page: PageRequest = { limit: 100 },
): Promise<Listing<KeyRecord>> {
  const rows = await db().apiKey.findMany({
    where: { userId: actor.userId, revokedAt: null, ...after(readCursor(page.cursor)) },
    orderBy: newestFirst,
    take: page.limit + 1,
  })
  return toListing(rows, page.limit, { record: toKeyRecord, cursor: cursorOf })
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
        name: input.name,
        hash: hashKeyText(key),
        last4: key.slice(-4),
        scopes: input.scopes,
        budgetUsd: input.budget_usd ?? null,
        budgetPeriod: input.budget_period ?? 'total',
        allowedModels: input.allowed_models ?? [],
        requestsPerMinute: input.requests_per_minute ?? null,
        tokensPerMinute: input.tokens_per_minute ?? null,
        fallbackCredentials: input.fallback_credentials ?? false,
        fallbackModels: input.fallback_models ?? [],
        cacheSeconds: input.cache_seconds ?? null,
        createdAt: new Date(),
        expiresAt: input.expires_at ? new Date(input.expires_at) : null,
      },
    })
    await audit(tx, { actor, origin, action: 'key.create', row: made })
    return made
  })
  return { ...toKeyRecord(row), key }
}

/** Ends a key of the actor's at once, on live streams too; its row stays. Throws not_found, for one that ended as well. */
export async function revokeKey(actor: Actor, keyId: string, origin: Origin): Promise<void> {
  await db().$transaction(async (tx) => {
    const mine = { id: keyId, userId: actor.userId, revokedAt: null }
    const { count } = await tx.apiKey.updateMany({ where: mine, data: { revokedAt: new Date() } })
    if (count === 0) throw new AppError('not_found', 'There is no such API key, or it is not yours.')
    const row = await tx.apiKey.findUniqueOrThrow({ where: { id: keyId } })
    await audit(tx, { actor, origin, action: 'key.revoke', row })
  })
  announceAccessChange(actor.userId)
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

function toKeyRecord(row: KeyRow): KeyRecord {
  return {
    id: row.id,
    name: row.name,
    last4: row.last4,
    scopes: row.scopes as Scope[],
    project_id: row.projectId,
    budget_usd: row.budgetUsd?.toNumber() ?? null,
    budget_period: row.budgetPeriod as BudgetPeriod,
    spent_usd: null,
    allowed_models: row.allowedModels,
    requests_per_minute: row.requestsPerMinute,
    tokens_per_minute: row.tokensPerMinute,
    fallback_credentials: row.fallbackCredentials,
    fallback_models: row.fallbackModels,
    cache_seconds: row.cacheSeconds,
    created_at: row.createdAt.toISOString(),
    expires_at: row.expiresAt?.toISOString() ?? null,
    last_used_at: row.lastUsedAt?.toISOString() ?? null,
  }
}

type Audited = { actor: Actor; origin: Origin; action: 'key.create' | 'key.revoke'; row: KeyRow }

async function audit(tx: Transaction, { actor, origin, action, row }: Audited): Promise<void> {
  const { name, last4, scopes, project_id, expires_at } = toKeyRecord(row)
  const detail = {
    name,
    last4,
    scopes,
    projectId: project_id,
    expiresAt: expires_at,
    budgetUsd: row.budgetUsd?.toString() ?? null,
  }
  const { ip, requestId } = origin
  await recordAudit({ actorId: actor.userId, action, target: row.id, ip, requestId, detail }, tx)
}
