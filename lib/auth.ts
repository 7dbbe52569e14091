import { cookies, headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { v7 as newId } from 'uuid'
import { recordAudit } from './audit'
import { announceAccessChange } from './auth/access'
import { serviceEmail } from './auth/access-hash'
import type { Actor, Origin } from './auth/actor'
import { recordFailedSignIn } from './auth/failures'
import { takeInvitation } from './auth/invitations'
import { countRegistration, reserveSignIn } from './auth/limits'
import { hashPassword, verifyPassword } from './auth/password'
import { createSession, findSessionActor, wrongCredentials } from './auth/sessions'
import { readCookieToken } from './auth/token-source'
import type { ChangePassword, Login, Register, Role, SignedIn, UserRecord } from './contracts/accounts'
import { db, type Transaction } from './db'
import { env } from './env'
import { AppError } from './errors'
import { callerAddress } from './http'

export { announceAccessChange, hasAccessChanged, onAccessChange } from './auth/access'
export { exchangeAccessKey, requireAccessKeySet } from './auth/access-key'
export { listOtherAccounts } from './auth/accounts'
export { type Actor, membershipOf, type Origin } from './auth/actor'
export {
  hasAccess,
  requireAdmin,
  requireCaller,
  requireKey,
  requireScope,
  requireUser,
  watchAccess,
} from './auth/callers'
export { clearedCookie, sessionCookie } from './auth/cookie'
export { findInvitation, inviteUser, listInvitations, revokeInvitation } from './auth/invitations'
export { createKey, getKey, listKeys, revokeKey, updateKey } from './auth/keys'
export { createLaunch, enterByTicket, isPassingBy } from './auth/launch'
export { warmPasswords } from './auth/password'
export { endSession, findUser, listSessions } from './auth/sessions'
export { endUserSessions, listUsers, updateUser } from './auth/users'

/** Where this request comes from. */
export function originOf(request: { headers: Headers }, requestId: string | null = null): Origin {
  return {
    ip: callerAddress(request),
    userAgent: request.headers.get('user-agent')?.slice(0, 400) ?? null,
    requestId,
  }
}

/** Who looks at a page, or null. */
export async function findPageActor(): Promise<Actor | null> {
  const jar = await cookies()
  const token = readCookieToken((name) => jar.get(name)?.value)
  const actor = token ? await findSessionActor(token) : null
  // Pages are for people; a program's token opens none.
  return actor?.scopes === null ? actor : null
}

/** Who looks at a page; a visitor who is not signed in is sent to sign in, and back to `here` afterwards. */
export async function requirePageActor(here: string): Promise<Actor> {
  const actor = await findPageActor()
  return actor ?? redirect(`/login?next=${encodeURIComponent(here)}`)
}

/** Where the visitor of a page comes from. */
export async function pageOrigin(): Promise<Origin> {
  return originOf({ headers: new Headers(await headers()) })
}

/** The account as the contract shows it. */
export function toUserRecord(user: {
  id: string
  email: string
  name: string | null
  role: string
}): UserRecord {
  const role = user.role === 'admin' ? 'admin' : 'member'
  return { id: user.id, email: user.email, username: user.email, name: user.name, role }
}

// Any constant serves; it is taken while the first account is made.
const firstAccountLock = 4_711_001

/**
 * Makes an account; the first one is the admin's, under any race. An invitation is used up by it and gives the role.
 * Throws conflict, forbidden, too_many_requests.
 */
export async function register(input: Register, origin: Origin): Promise<SignedIn> {
  await countRegistration(origin)
  const passwordHash = await hashPassword(input.password)
  const user = await db().$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${firstAccountLock})`
    const people = { email: { not: serviceEmail } }
    const isFirst = (await tx.user.findFirst({ where: people, select: { id: true } })) === null
    const { invitation, email, role } = await admit(tx, input, isFirst)
    if (await tx.user.findUnique({ where: { email }, select: { id: true } })) {
      throw new AppError('conflict', 'There is an account with this email already. Sign in instead.')
    }
    const made = await tx.user.create({
      data: { id: newId(), email, name: input.name ?? null, passwordHash, role, createdAt: new Date() },
    })
    const { ip, requestId } = origin
    const deed = {
      action: 'account.register',
      target: made.id,
      detail: { invitationId: invitation },
    } as const
    await recordAudit({ actorId: made.id, ...deed, ip, requestId }, tx)
    return made
  })
  return createSession(toUserRecord(user), passwordHash, origin)
}

type Admitted = { invitation?: string; email: string; role: Role }

/** Who may make an account, and as what. Throws forbidden. */
async function admit(tx: Transaction, input: Register, isFirst: boolean): Promise<Admitted> {
  const mode = env().REGISTRATION
  if (input.invitation !== undefined && mode !== 'closed' && !isFirst) {
    const { id, email, role } = await takeInvitation(tx, input.invitation, input.email)
    return { invitation: id, email, role }
  }
  if (!isFirst && mode !== 'open') throw registrationClosed()
  if (input.email === undefined) throw new AppError('forbidden', 'This invitation serves no more.')
  return { email: input.email, role: isFirst ? 'admin' : 'member' }
}

function registrationClosed(): AppError {
  return env().REGISTRATION === 'invite'
    ? new AppError('forbidden', 'Accounts here are made by invitation. Ask an admin for one.')
    : new AppError('forbidden', 'No new accounts are made here. Ask an admin.')
}
/** Signs in. An unknown account and a wrong password are one answer in one time. Throws unauthenticated, too_many_requests. */
export async function login(input: Login, origin: Origin): Promise<SignedIn> {
  const attempt = await reserveSignIn(input.email, origin.ip)
  try {
    const user = await db().user.findUnique({ where: { email: input.email } })
    const matches = await verifyPassword(input.password, user?.passwordHash ?? null)
    if (!user || !matches || user.disabledAt || user.email === serviceEmail) {
      await attempt.failed()
      await recordFailedSignIn(user?.id ?? null, origin)
      throw wrongCredentials()
    }
    await attempt.succeeded()
    return await createSession(toUserRecord(user), user.passwordHash, origin)
  } finally {
    await attempt.release()
  }
}

/** Sets a new password and ends all other sessions. Throws forbidden if the current one is wrong. */
export async function changePassword(actor: Actor, input: ChangePassword, origin: Origin): Promise<void> {
  const attempt = await reserveSignIn(actor.email, origin.ip)
  try {
    const user = await db().user.findUnique({ where: { id: actor.userId } })
    if (!(await verifyPassword(input.current, user?.passwordHash ?? null))) {
      await attempt.failed()
      await recordFailedSignIn(actor.userId, origin)
      throw new AppError('forbidden', 'The current password is wrong.', {
        issues: [{ path: 'current', message: 'This is not your current password.' }],
      })
    }
    await replacePassword(actor, await hashPassword(input.next), origin)
  } finally {
    await attempt.release()
  }
}

async function replacePassword(actor: Actor, passwordHash: string, { ip, requestId }: Origin): Promise<void> {
  const { userId, sessionId } = actor
  await db().$transaction(async (tx) => {
    await tx.user.update({ where: { id: userId }, data: { passwordHash } })
    const { count } = await tx.session.deleteMany({ where: { userId, id: { not: sessionId } } })
    const detail = { endedSessions: count }
    await recordAudit(
      { actorId: userId, action: 'account.password', target: userId, ip, requestId, detail },
      tx,
    )
  })
  announceAccessChange(userId)
}
