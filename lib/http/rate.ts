import { addCount } from '../bus'
import { type CallClass, env, type RateLimit } from '../env'
import { AppError, asAppError } from '../errors'
import { callerAddress, callerNetwork } from './address'

/** What a caller may call still, this call counted: `remaining` is below zero for one too many. */
export type Allowance = { limit: number; remaining: number; resetMs: number; windowMs: number }

/** All API keys of a user together may call so many times as often as one; the user's own browser is apart from them. */
const keysTogether = 4

type Account = { userId: string; keyId: string | null }

function isAccount(actor: unknown): actor is Account {
  return typeof actor === 'object' && actor !== null && 'userId' in actor && 'keyId' in actor
}

/** Counts a call for its user, its API key or, where it takes no account, its address; null where nothing is counted. */
export async function countCall(
  request: Request,
  actor: unknown,
  called: CallClass,
): Promise<Allowance | null> {
  const limits = env().RATE_LIMITS
  if (limits === 'off') return null
  if (!isAccount(actor)) return countAddress('anonymous', request, limits.anonymous)
  const { userId, keyId } = actor
  const limit = limits[called]
  if (keyId === null) return count(`user-${called}:${userId}`, limit)
  const ofKey = await count(`key-${called}:${keyId}`, limit)
  if (ofKey.remaining < 0) return ofKey
  const together = { ...limit, count: limit.count * keysTogether }
  const ofAll = await count(`keys-${called}:${userId}`, together)
  return ofAll.remaining < ofKey.remaining ? ofAll : ofKey
}

/**
 * Counts, by address, a call that was refused for who made it; apart from calls that need no account, so that a program
 * with a revoked key does not keep its office from signing in. Throws too_many_requests.
 */
export async function countRefused(request: Request, error: unknown): Promise<void> {
  const limits = env().RATE_LIMITS
  const { code } = asAppError(error)
  if (limits === 'off' || (code !== 'unauthenticated' && code !== 'forbidden')) return
  requireAllowance(await countAddress('refused', request, limits.anonymous))
}

/** Where nobody tells addresses apart, one counter would shut everyone out. */
async function countAddress(kind: string, request: Request, limit: RateLimit): Promise<Allowance | null> {
  const address = callerAddress(request)
  return address === 'unknown' ? null : count(`${kind}:${callerNetwork(address)}`, limit)
}

async function count(key: string, limit: RateLimit): Promise<Allowance> {
  const { count, resetMs } = await addCount(key, limit.windowMs, 1)
  return { limit: limit.count, remaining: limit.count - count, resetMs, windowMs: limit.windowMs }
}

/** Throws too_many_requests for one call too many. */
export function requireAllowance(allowance: Allowance | null): void {
  if (!allowance || allowance.remaining >= 0) return
  const { limit, windowMs, resetMs } = allowance
  const seconds = (ms: number) => `${Math.max(1, Math.ceil(ms / 1000))} s`
  throw new AppError(
    'too_many_requests',
    `These are more than ${limit} calls of this kind in ${seconds(windowMs)}. Try again in ${seconds(resetMs)}.`,
    { retryAfterSeconds: resetMs / 1000 },
  )
}

/** The allowance in OpenAI's words: https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers */
export function allowanceHeaders({ limit, remaining, resetMs }: Allowance): [string, string][] {
  return [
    ['x-ratelimit-limit-requests', String(limit)],
    ['x-ratelimit-remaining-requests', String(Math.max(0, remaining))],
    ['x-ratelimit-reset-requests', `${Math.ceil(resetMs / 1000)}s`],
  ]
}
