import { createHash, createSecretKey } from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'
import { serverSecret } from '../env'
import { remember } from '../remember'

const party = 'al-chat'

/** HMAC key of the tokens; derived, so that the secret may be of any length ≥ 32 bytes. A key object is imported once. */
const signingKey = () =>
  remember('auth.key', () => {
    const digest = createHash('sha256').update('al-chat session token\0')
    return createSecretKey(digest.update(serverSecret('AUTH_SECRET')).digest())
  })

/** A session's token: HS256 with exactly the claims of the contract. */
export async function signToken(session: {
  id: string
  userId: string
  createdAt: Date
  expiresAt: Date
}): Promise<string> {
  return new SignJWT({ sid: session.id })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(party)
    .setAudience(party)
    .setSubject(session.userId)
    .setIssuedAt(session.createdAt)
    .setExpirationTime(session.expiresAt)
    .sign(signingKey())
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** What a token names, and until when. */
type Named = { sessionId: string; userId: string; expiresAtMs: number }

/** Tokens that were found to be ours: a signature need not be verified with every request. Whether the session goes on, its row says. */
const verified = () => remember('auth.verified', () => new Map<string, Named>())
const maxVerified = 2000

/** The session and user that a token names, or null if it is not one of ours. */
export async function readSessionToken(token: string): Promise<Named | null> {
  const known = verified().get(token)
  if (known && known.expiresAtMs > Date.now()) return known
  const named = await verifyToken(token)
  if (!named) return null
  const oldest = verified().size >= maxVerified ? verified().keys().next().value : undefined
  if (oldest !== undefined) verified().delete(oldest)
  verified().set(token, named)
  return named
}

async function verifyToken(token: string): Promise<Named | null> {
  try {
    const { payload } = await jwtVerify(token, signingKey(), {
      algorithms: ['HS256'],
      typ: 'JWT',
      issuer: party,
      audience: party,
      requiredClaims: ['sub', 'sid', 'iat', 'exp'],
    })
    const { sid, sub, exp } = payload
    if (typeof sid !== 'string' || !uuid.test(sid) || !sub || !uuid.test(sub) || !exp) return null
    return { sessionId: sid, userId: sub, expiresAtMs: exp * 1000 }
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof SyntaxError)
      return null
    throw error
  }
}
