import { createHash, randomBytes } from 'node:crypto'
import { v7 as newId } from 'uuid'
import { recordAudit } from '../audit'
import type { Role } from '../contracts/accounts'
import type { CreatedInvitation, InvitationRecord, InviteUser } from '../contracts/admin'
import type { Listing } from '../contracts/primitives'
import { db, type Transaction } from '../db'
import { env } from '../env'
import { AppError } from '../errors'
import { after, cursorOf, newestFirst, type PageRequest, readCursor, toListing } from '../paging'
import type { Actor, Origin } from './actor'

const lastsMs = 7 * 86_400_000

type InvitationRow = {
  id: string
  email: string
  role: string
  createdAt: Date
  expiresAt: Date
  inviter: { email: string }
}

const shown = { inviter: { select: { email: true } } } as const

/** Those that can be used still: neither used nor revoked, not over, and by somebody who is an admin still. */
function open() {
  return {
    usedAt: null,
    revokedAt: null,
    expiresAt: { gt: new Date() },
    inviter: { role: 'admin', disabledAt: null },
  }
}

/** Nobody guesses 256 bits, so one round of SHA-256 keeps the token from whoever reads the database. */
function hashToken(token: string): Buffer<ArrayBuffer> {
  return Buffer.from(createHash('sha256').update(token).digest())
}

/** Who was invited and has not come yet, newest first. Throws invalid_input for a bad cursor. */
export async function listInvitations(page: PageRequest): Promise<Listing<InvitationRecord>> {
  const rows = await db().invitation.findMany({
    where: { AND: [open(), after(readCursor(page.cursor))] },
    include: shown,
    orderBy: newestFirst,
    take: page.limit + 1,
  })
  return toListing(rows, page.limit, { record: toRecord, cursor: cursorOf })
}

function toRecord({ id, email, role, createdAt, expiresAt, inviter }: InvitationRow): InvitationRecord {
  return {
    id,
    email,
    role: toRole(role),
    invited_by: inviter.email,
    created_at: createdAt.toISOString(),
    expires_at: expiresAt.toISOString(),
  }
}

function toRole(role: string): Role {
  return role === 'admin' ? 'admin' : 'member'
}

/**
 * Invites somebody by a link that serves once, for seven days; an earlier one for the same email ends. `base` is where
 * this server is reached, without a slash at its end. Throws conflict where there is such an account or no new ones are made.
 */
export async function inviteUser(
  actor: Actor,
  { email, role }: InviteUser,
  base: string,
  origin: Origin,
): Promise<CreatedInvitation> {
  if (env().REGISTRATION === 'closed')
    throw new AppError('conflict', 'No new accounts are made here: REGISTRATION is closed.')
  const token = randomBytes(32).toString('base64url')
  const createdAt = new Date()
  const expiresAt = new Date(createdAt.getTime() + lastsMs)
  const row = await db().$transaction(async (tx) => {
    if (await tx.user.findUnique({ where: { email }, select: { id: true } }))
      throw new AppError('conflict', 'There is an account with this email already.')
    await tx.invitation.updateMany({
      where: { email, usedAt: null, revokedAt: null },
      data: { revokedAt: createdAt },
    })
    const made = { id: newId(), email, role, hash: hashToken(token), invitedBy: actor.userId }
    const stored = await tx.invitation.create({ data: { ...made, createdAt, expiresAt }, include: shown })
    await audit(tx, { actor, origin, action: 'user.invite', row: stored })
    return stored
  })
  return { ...toRecord(row), url: `${base}/register?invitation=${token}` }
}

/** Takes an invitation back. Throws not_found, for one that was used as well. */
export async function revokeInvitation(actor: Actor, id: string, origin: Origin): Promise<void> {
  await db().$transaction(async (tx) => {
    const { count } = await tx.invitation.updateMany({
      where: { id, usedAt: null, revokedAt: null },
      data: { revokedAt: new Date() },
    })
    if (count === 0) throw new AppError('not_found', 'There is no such invitation, or it was used already.')
    const row = await tx.invitation.findUniqueOrThrow({ where: { id }, include: shown })
    await audit(tx, { actor, origin, action: 'user.invite_revoke', row })
  })
}

type Deed = {
  actor: Actor
  origin: Origin
  action: 'user.invite' | 'user.invite_revoke'
  row: InvitationRow
}

async function audit(tx: Transaction, { actor, origin, action, row }: Deed): Promise<void> {
  const { email, role, expires_at } = toRecord(row)
  const detail = { email, role, expiresAt: expires_at }
  const { ip, requestId } = origin
  await recordAudit({ actorId: actor.userId, action, target: row.id, ip, requestId, detail }, tx)
}

/** Whom this token invites, or null if it serves no more. */
export async function findInvitation(token: string): Promise<{ email: string } | null> {
  return db().invitation.findFirst({
    where: { hash: hashToken(token), ...open() },
    select: { email: true },
  })
}

/** Uses an invitation up, if the transaction goes through. Throws forbidden if it serves no more, or is for another email. */
export async function takeInvitation(
  tx: Transaction,
  token: string,
  email: string | undefined,
): Promise<{ id: string; email: string; role: Role }> {
  const hash = hashToken(token)
  const found = await tx.invitation.findFirst({ where: { hash, ...open() } })
  const { count } = await tx.invitation.updateMany({
    where: { hash, usedAt: null, revokedAt: null },
    data: { usedAt: new Date() },
  })
  if (!found || count === 0)
    throw new AppError(
      'forbidden',
      'This invitation was used, has ended, or was taken back. Ask for a new one.',
    )
  if (email !== undefined && email !== found.email)
    throw new AppError('forbidden', 'This invitation is for another email.')
  return { id: found.id, email: found.email, role: toRole(found.role) }
}
