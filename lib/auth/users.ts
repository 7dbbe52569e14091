import { recordAudit } from '../audit'
import type { Role } from '../contracts/accounts'
import type { ListUsers, ManagedUser, UpdateUser } from '../contracts/admin'
import type { Listing } from '../contracts/primitives'
import { db, type Transaction } from '../db'
import { AppError } from '../errors'
import { after, cursorOf, newestFirst, readCursor, toListing } from '../paging'
import { announceAccessChange } from './access'
import type { Actor, Origin } from './actor'

/** The accounts whose email or name has the query in it, newest first, for admins. Throws invalid_input for a bad cursor. */
export async function listUsers({ query, limit, cursor }: ListUsers): Promise<Listing<ManagedUser>> {
  const contains = { contains: query?.trim() ?? '', mode: 'insensitive' as const }
  const rows = await db().user.findMany({
    where: { AND: [{ OR: [{ email: contains }, { name: contains }] }, after(readCursor(cursor))] },
    select: shownFields(),
    orderBy: newestFirst,
    take: limit + 1,
  })
  return toListing(rows, limit, { record: toManagedUser, cursor: cursorOf })
}

function shownFields() {
  const live = { expiresAt: { gt: new Date() } }
  return {
    id: true,
    email: true,
    name: true,
    role: true,
    disabledAt: true,
    createdAt: true,
    sessions: { where: live, select: { lastSeenAt: true }, orderBy: { lastSeenAt: 'desc' }, take: 1 },
    _count: { select: { sessions: { where: live }, apiKeys: { where: { revokedAt: null } } } },
  } as const
}

type ShownUser = {
  id: string
  email: string
  name: string | null
  role: string
  disabledAt: Date | null
  createdAt: Date
  sessions: { lastSeenAt: Date }[]
  _count: { sessions: number; apiKeys: number }
}

function toManagedUser({ id, email, name, role, ...user }: ShownUser): ManagedUser {
  return {
    id,
    email,
    name,
    role: role === 'admin' ? 'admin' : 'member',
    disabled_at: user.disabledAt?.toISOString() ?? null,
    created_at: user.createdAt.toISOString(),
    last_seen_at: user.sessions[0]?.lastSeenAt.toISOString() ?? null,
    sessions: user._count.sessions,
    keys: user._count.apiKeys,
  }
}

/**
 * Gives an account another role, disables it, or lets it be used again. Disabling ends its sessions and API keys for
 * good, and its streams at once; what the account has stays, and an answer that is being written is written to its end.
 * Throws not_found, forbidden if the actor is no admin any more, conflict for oneself and for the last admin.
 */
export async function updateUser(
  actor: Actor,
  userId: string,
  change: UpdateUser,
  origin: Origin,
): Promise<ManagedUser> {
  const isChanged = await db().$transaction((tx) => changeUser(tx, { actor, userId, change, origin }))
  if (isChanged) announceAccessChange(userId)
  return toManagedUser(await db().user.findUniqueOrThrow({ where: { id: userId }, select: shownFields() }))
}

type Change = { actor: Actor; userId: string; change: UpdateUser; origin: Origin }

async function changeUser(tx: Transaction, { actor, userId, change, origin }: Change): Promise<boolean> {
  const admins = await lockAdmins(tx, actor)
  const user = await lockUser(tx, userId)
  const role = change.role ?? user.role
  const isDisabled = change.disabled ?? user.isDisabled
  if (role === user.role && isDisabled === user.isDisabled) return false
  const others = admins.filter((id) => id !== userId)
  if (isDisabled && userId === actor.userId) throw new AppError('conflict', 'You cannot disable yourself.')
  if (others.length === 0 && (role !== 'admin' || isDisabled)) throw lastAdmin()
  const disabledAt = isDisabled ? (user.disabledAt ?? new Date()) : null
  await tx.user.update({ where: { id: userId }, data: { role, disabledAt } })
  const ended = isDisabled && !user.isDisabled ? await endAll(tx, userId) : {}
  const detail = {
    email: user.email,
    ...(role !== user.role && { role }),
    ...(isDisabled !== user.isDisabled && { disabled: isDisabled }),
    ...ended,
  }
  const { ip, requestId } = origin
  const deed = { action: 'user.update', target: userId, detail } as const
  await recordAudit({ actorId: actor.userId, ...deed, ip, requestId }, tx)
  return true
}

function lastAdmin(): AppError {
  return new AppError('conflict', 'This is the only admin. Make somebody else one first.')
}

/** Whoever changes accounts does so in turn; so the last admin stays one. Throws forbidden if the actor is none by now. */
async function lockAdmins(tx: Transaction, actor: Actor): Promise<string[]> {
  const admins = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM users WHERE role = 'admin' AND disabled_at IS NULL ORDER BY id FOR NO KEY UPDATE`
  const ids = admins.map(({ id }) => id)
  if (!ids.includes(actor.userId)) throw new AppError('forbidden', 'This is for admins.')
  return ids
}

async function lockUser(tx: Transaction, userId: string) {
  const [user] = await tx.$queryRaw<{ email: string; role: Role; disabledAt: Date | null }[]>`
    SELECT email, role, disabled_at AS "disabledAt" FROM users WHERE id = ${userId}::uuid FOR NO KEY UPDATE`
  if (!user) throw noSuchUser()
  return { ...user, isDisabled: user.disabledAt !== null }
}

function noSuchUser(): AppError {
  return new AppError('not_found', 'There is no such account.')
}

async function endAll(tx: Transaction, userId: string) {
  const sessions = await tx.session.deleteMany({ where: { userId } })
  const keys = await tx.apiKey.updateMany({
    where: { userId, revokedAt: null },
    data: { revokedAt: new Date() },
  })
  return { endedSessions: sessions.count, revokedKeys: keys.count }
}

/** Signs an account out on all its devices, streams included; its API keys stay. Throws not_found. */
export async function endUserSessions(actor: Actor, userId: string, origin: Origin): Promise<void> {
  await db().$transaction(async (tx) => {
    const { email } = await lockUser(tx, userId)
    const { count } = await tx.session.deleteMany({ where: { userId } })
    const { ip, requestId } = origin
    const detail = { email, endedSessions: count }
    const deed = { action: 'user.sessions_end', target: userId, detail } as const
    await recordAudit({ actorId: actor.userId, ...deed, ip, requestId }, tx)
  })
  announceAccessChange(userId)
}
