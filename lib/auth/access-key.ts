import { randomBytes } from 'node:crypto'
import { v7 as newId } from 'uuid'
import { recordAudit } from '../audit'
import type { AccessToken } from '../contracts/accounts'
import { db, type Transaction } from '../db'
import { env } from '../env'
import { AppError } from '../errors'
import { hashAccessKey, isAccessHash, serviceEmail } from './access-hash'
import type { Origin } from './actor'
import { recordFailedSignIn } from './failures'
import { beginGuess } from './limits'
import { hashPassword } from './password'
import { openSession } from './sessions'

const tokenLastsMs = 12 * 3_600_000
/** A client that asks for a token with every call keeps this many; the oldest end. */
const maxTokens = 1000

/** Lets callers try an access key, where the server has one. Throws not_found. */
export async function requireAccessKeySet(): Promise<null> {
  if (env().ACCESS_KEY === undefined) throw new AppError('not_found', 'There is nothing at this address.')
  return null
}

/**
 * A token of at most 12 h for the server's ACCESS_KEY, with which programs chat and use the gateway, as an account of
 * their own. Throws unauthenticated, too_many_requests.
 */
export async function exchangeAccessKey(given: string, origin: Origin): Promise<AccessToken> {
  const attempt = await beginGuess('access', origin.ip)
  const accessHash = hashAccessKey(given)
  if (!isAccessHash(accessHash)) {
    await attempt.failed()
    await recordFailedSignIn(null, origin)
    throw wrongKey()
  }
  const passwordHash = (await hasAccount()) ? null : await hashPassword(randomBytes(32).toString('hex'))
  const { token, expires_at, user } = await openSession(origin, {
    lastsMs: tokenLastsMs,
    accessHash,
    admit: (tx, sessionId) => admitProgram(tx, { sessionId, origin, passwordHash }),
  })
  await forgetOldTokens(user.id, accessHash)
  return { token, token_type: 'bearer', expires_at }
}

function wrongKey(): AppError {
  return new AppError('unauthenticated', 'This is not the access key of this server.')
}

async function hasAccount(): Promise<boolean> {
  return (await db().user.findUnique({ where: { email: serviceEmail }, select: { id: true } })) !== null
}

type Admitted = { sessionId: string; origin: Origin; passwordHash: string | null }

/** The account is made when it is first needed, with a password that nobody knows. */
async function admitProgram(tx: Transaction, { sessionId, origin, passwordHash }: Admitted) {
  if (passwordHash !== null) {
    const data = { id: newId(), email: serviceEmail, name: 'Access key', role: 'member', passwordHash }
    await tx.user.createMany({ data, skipDuplicates: true })
  }
  const user = await tx.user.findUnique({ where: { email: serviceEmail } })
  if (!user || user.disabledAt) throw wrongKey()
  const { ip, requestId, userAgent } = origin
  const deed = { action: 'account.signin', target: sessionId, detail: { userAgent } } as const
  await recordAudit({ actorId: user.id, ...deed, ip, requestId }, tx)
  return { id: user.id, email: user.email, username: user.email, name: user.name, role: 'member' as const }
}

async function forgetOldTokens(userId: string, accessHash: Buffer<ArrayBuffer>): Promise<void> {
  await db().$executeRaw`
    DELETE FROM sessions WHERE user_id = ${userId}::uuid AND (
      expires_at <= now() OR access_hash IS DISTINCT FROM ${accessHash} OR id IN (
        SELECT id FROM sessions WHERE user_id = ${userId}::uuid
        ORDER BY created_at DESC, id DESC OFFSET ${maxTokens}::int))`
}
