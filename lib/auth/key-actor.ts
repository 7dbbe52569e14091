import { LRUCache } from 'lru-cache'
import { addCount } from '../bus'
import { adminScopes, type KeyPolicy, type Scope } from '../contracts/keys'
import { db, sql } from '../db'
import { env } from '../env'
import { AppError } from '../errors'
import { callerNetwork } from '../http'
import { log } from '../log'
import { remember } from '../remember'
import { beginLookup, isStillGood } from './access'
import type { Actor } from './actor'
import { hashKeyText } from './key-text'

/** `last_used_at` is for people; it need not cost a write with every request. */
const usedEveryMs = 60_000

type KeyRow = KeyPolicy & {
  keyId: string
  scopes: Scope[]
  boundTo: string | null
  expiresAt: Date | null
  lastUsedAt: Date | null
  userId: string
  email: string
  name: string | null
  role: string
}

/**
 * Programs call in bursts, and to look a key up is a third of what a call costs. What this server changes counts at
 * once; what another one does, after this long.
 */
const heldMs = 500
const maxHeld = 1000
const held = () =>
  remember('auth.keys.held', () => new LRUCache<string, Actor>({ max: maxHeld, ttl: heldMs }))

/**
 * Who a key stands for: its owner, with the rights that the owner has now; null if it was revoked, has run out, or its
 * owner was disabled. `text` has the right check sum. Throws too_many_requests where an address sends too many keys
 * that are none.
 */
export async function findKeyActor(text: string, ip: string): Promise<Actor | null> {
  const found = beginLookup()
  const hash = hashKeyText(text)
  const name = hash.toString('base64')
  const known = held().get(name)
  if (known && isStillGood(known)) return known
  const attempt = await beginAttempt(name, ip)
  // What is read may be as old as the question.
  const start = performance.now()
  const [row] = await sql<KeyRow>`
    SELECT k.id AS "keyId", k.scopes, k.project_id AS "boundTo", k.expires_at AS "expiresAt",
      k.last_used_at AS "lastUsedAt", u.id AS "userId", u.email, u.name, u.role,
      k.budget_usd::text AS "budgetUsd", k.budget_period AS "budgetPeriod", k.allowed_models AS "allowedModels",
      k.requests_per_minute AS "requestsPerMinute", k.tokens_per_minute AS "tokensPerMinute",
      k.fallback_credentials AS "fallbackCredentials", k.fallback_models AS "fallbackModels",
      k.cache_seconds AS "cacheSeconds"
    FROM api_keys k JOIN users u ON u.id = k.user_id
    WHERE k.hash = ${hash} AND k.revoked_at IS NULL AND u.disabled_at IS NULL`
  if (!row || hasRunOut(row)) {
    await attempt.failed()
    return null
  }
  attempt.succeeded()
  noteUse(row)
  const actor = found(toActor(row), row.expiresAt)
  held().set(name, actor, { start })
  return actor
}

/** By the clock that the timers of live streams go by, too. */
function hasRunOut({ expiresAt }: Pick<KeyRow, 'expiresAt'>): boolean {
  return expiresAt !== null && expiresAt.getTime() <= Date.now()
}

function toActor(row: KeyRow): Actor {
  const { keyId, scopes, boundTo, userId, email, name, role } = row
  const isAdmin = role === 'admin'
  return {
    userId,
    role: isAdmin ? 'admin' : 'member',
    email,
    name,
    sessionId: '',
    keyId,
    scopes: isAdmin ? scopes : scopes.filter((scope) => !adminScopes.includes(scope)),
    boundTo,
    policy: toPolicy(row),
  }
}

function toPolicy(row: KeyPolicy): KeyPolicy {
  return {
    budgetUsd: row.budgetUsd,
    budgetPeriod: row.budgetPeriod,
    allowedModels: row.allowedModels,
    requestsPerMinute: row.requestsPerMinute,
    tokensPerMinute: row.tokensPerMinute,
    fallbackCredentials: row.fallbackCredentials,
    fallbackModels: row.fallbackModels,
    cacheSeconds: row.cacheSeconds,
  }
}

/** Whether the key that the actor came with still is one: neither revoked nor run out, the owner not disabled. */
export async function isKeyLive(keyId: string): Promise<boolean> {
  const key = await db().apiKey.findFirst({
    where: { id: keyId, revokedAt: null, user: { disabledAt: null } },
    select: { expiresAt: true },
  })
  return key !== null && !hasRunOut(key)
}

const beingNoted = () => remember('auth.keys.noted', () => new Set<string>())

/** Notes that a key was used, at most once a minute, without making anyone wait. */
function noteUse({ keyId, lastUsedAt }: KeyRow): void {
  if (lastUsedAt && Date.now() - lastUsedAt.getTime() < usedEveryMs) return
  if (beingNoted().has(keyId)) return
  beingNoted().add(keyId)
  db()
    .apiKey.updateMany({ where: { id: keyId }, data: { lastUsedAt: new Date() } })
    .catch((err: unknown) => log().warn({ err, keyId }, 'the last use of an API key was not noted'))
    .finally(() => beingNoted().delete(keyId))
}

const maxProven = 5000
/** Hashes of keys that were found to be good lately: programs that share an address with a wrong key go on. */
const proven = () => remember('auth.keys.proven', () => new Set<string>())

type Attempt = { failed(): Promise<void>; succeeded(): void }

/**
 * Nobody guesses a key; but whoever sends what looks like one makes the database look. So keys that are none are
 * counted by address, as wrong passwords are but apart from them, since a forgotten program must not lock its
 * neighbours out of their accounts.
 */
async function beginAttempt(name: string, ip: string): Promise<Attempt> {
  const limits = env().RATE_LIMITS
  const counter = `keys:${callerNetwork(ip)}`
  if (limits !== 'off' && !proven().has(name)) {
    const { count, resetMs } = await addCount(counter, limits.address.windowMs, 0)
    if (count >= limits.address.count) throw tooMany(resetMs)
  }
  return {
    failed: async () => {
      proven().delete(name)
      if (limits !== 'off') await addCount(counter, limits.address.windowMs, 1)
    },
    succeeded: () => {
      // Last in line again, so that the first in line is the one that was not used for longest.
      proven().delete(name)
      proven().add(name)
      const [oldest = ''] = proven()
      if (proven().size > maxProven) proven().delete(oldest)
    },
  }
}

function tooMany(resetMs: number): AppError {
  const message = 'Too many API keys that are not valid came from this address. Try again later.'
  return new AppError('too_many_requests', message, { retryAfterSeconds: resetMs / 1000 })
}
