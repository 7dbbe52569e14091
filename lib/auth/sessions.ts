import { v7 as newId } from 'uuid'
import { recordAudit } from '../audit'
import type { SessionRecord, SignedIn, UserRecord } from '../contracts/accounts'
import type { Listing } from '../contracts/primitives'
import { db, sql, type Transaction } from '../db'
import { AppError } from '../errors'
import { after, cursorOf, newestFirst, type PageRequest, readCursor, toListing } from '../paging'
import { announceAccessChange, beginLookup } from './access'
import { accessScopes, isAccessHash } from './access-hash'
import { type Actor, type Origin, withoutKey } from './actor'
import { readSessionToken, signToken } from './token'

const sessionDays = 30
const dayMs = 86_400_000
/** `last_seen_at` is for people; it need not cost a write with every request. */
const seenEveryMs = 300_000

/**
 * Signs a user in on a device, if the password that was verified still is theirs: whoever changes it waits for this,
 * or this for them. Throws unauthenticated.
 */
export async function createSession(
  user: UserRecord,
  verifiedHash: string,
  origin: Origin,
): Promise<SignedIn> {
  return openSession(origin, {
    admit: async (tx, sessionId) => {
      const current = await tx.$queryRaw<unknown[]>`
        SELECT 1 FROM users
        WHERE id = ${user.id}::uuid AND password_hash = ${verifiedHash} AND disabled_at IS NULL FOR SHARE`
      if (current.length === 0) throw wrongCredentials()
      const { ip, userAgent, requestId } = origin
      const deed = { action: 'account.signin', target: sessionId, detail: { userAgent } } as const
      await recordAudit({ actorId: user.id, ...deed, ip, requestId }, tx)
      return user
    },
  })
}

type Admission = {
  /** Says who is let in, writes it down, or throws. */
  admit: (tx: Transaction, sessionId: string) => Promise<UserRecord>
  lastsMs?: number
  /** Where it is opened with an access key. */
  accessHash?: Buffer<ArrayBuffer>
}

/** Opens a session for whoever is admitted, all or nothing. Throws what `admit` throws. */
export async function openSession(
  origin: Origin,
  { admit, lastsMs = sessionDays * dayMs, accessHash }: Admission,
): Promise<SignedIn> {
  // Tokens carry whole seconds; the row says the same.
  const createdAt = new Date(Math.floor(Date.now() / 1000) * 1000)
  const expiresAt = new Date(createdAt.getTime() + lastsMs)
  const id = newId()
  const { userAgent, ip } = origin
  const user = await db().$transaction(async (tx) => {
    const admitted = await admit(tx, id)
    const data = { id, userId: admitted.id, createdAt, expiresAt, accessHash, userAgent, ip }
    await tx.session.create({ data })
    return admitted
  })
  await db().session.deleteMany({ where: { userId: user.id, expiresAt: { lt: createdAt } } })
  const token = await signToken({ id, userId: user.id, createdAt, expiresAt })
  return { user, token, expires_at: expiresAt.toISOString() }
}

/** Who holds this token, or null: the session row is the truth, the token only names it. */
export async function findSessionActor(token: string): Promise<Actor | null> {
  const found = beginLookup()
  const named = await readSessionToken(token)
  if (!named) return null
  const [session] = await sql<SessionRow>`
    SELECT s.id, s.last_seen_at AS "lastSeenAt", s.expires_at AS "expiresAt", s.access_hash AS "accessHash",
      u.id AS "userId", u.email, u.name, u.role
    FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.id = ${named.sessionId}::uuid AND s.user_id = ${named.userId}::uuid
      AND s.expires_at > now() AND u.disabled_at IS NULL`
  if (!session || !isOfThisServer(session)) return null
  if (Date.now() - session.lastSeenAt.getTime() > seenEveryMs) {
    await db().session.updateMany({ where: { id: session.id }, data: { lastSeenAt: new Date() } })
  }
  const scopes = session.accessHash === null ? null : accessScopes
  return found({ ...toActor(session, session.id), scopes }, session.expiresAt)
}

/** What was opened with another access key than the server has now is over. */
function isOfThisServer({ accessHash }: { accessHash: Uint8Array | null }): boolean {
  return accessHash === null || isAccessHash(accessHash)
}

type UserRow = { userId: string; email: string; name: string | null; role: string }
type SessionRow = UserRow & { id: string; lastSeenAt: Date; expiresAt: Date; accessHash: Uint8Array | null }

function toActor({ userId, email, name, role }: UserRow, sessionId: string): Actor {
  return { userId, role: role === 'admin' ? 'admin' : 'member', email, name, sessionId, ...withoutKey }
}

/** A user on whose behalf the server goes on with something, with nobody signed in; null if gone or disabled. */
export async function findUser(userId: string): Promise<Actor | null> {
  const user = await db().user.findFirst({ where: { id: userId, disabledAt: null } })
  return user && toActor({ userId: user.id, email: user.email, name: user.name, role: user.role }, '')
}

/** The devices on which the actor is signed in, the latest sign-in first. Throws invalid_input for a bad cursor. */
export async function listSessions(
  actor: Actor,
  page: PageRequest = { limit: 50 },
): Promise<Listing<SessionRecord>> {
  const sessions = await db().session.findMany({
    where: { userId: actor.userId, expiresAt: { gt: new Date() }, ...after(readCursor(page.cursor)) },
    orderBy: newestFirst,
    take: page.limit + 1,
  })
  const record = (session: (typeof sessions)[number]) => ({
    id: session.id,
    current: session.id === actor.sessionId,
    user_agent: session.userAgent,
    ip: session.ip,
    created_at: session.createdAt.toISOString(),
    last_seen_at: session.lastSeenAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
  })
  return toListing(sessions, page.limit, { record, cursor: cursorOf })
}

/** The one answer to an unknown account and a wrong password. */
export function wrongCredentials(): AppError {
  return new AppError('unauthenticated', 'Email or password is wrong.')
}

/** Ends one of the actor's sessions. Throws not_found. */
export async function endSession(actor: Actor, sessionId: string, origin: Origin): Promise<void> {
  const { userId } = actor
  const { ip, requestId } = origin
  await db().$transaction(async (tx) => {
    const { count } = await tx.session.deleteMany({ where: { id: sessionId, userId } })
    if (count === 0) throw new AppError('not_found', 'This session has ended already.')
    const detail = { isCurrent: sessionId === actor.sessionId }
    await recordAudit(
      { actorId: userId, action: 'session.end', target: sessionId, ip, requestId, detail },
      tx,
    )
  })
  announceAccessChange(actor.userId)
}

/** Whether the session goes on: neither ended nor expired, the account not disabled. */
export async function isSessionLive({ sessionId, userId }: Actor): Promise<boolean> {
  const session = await db().session.findFirst({
    where: { id: sessionId, userId, expiresAt: { gt: new Date() }, user: { disabledAt: null } },
    select: { accessHash: true },
  })
  return session !== null && isOfThisServer(session)
}
