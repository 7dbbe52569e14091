import { addCount, clearCount } from '../bus'
import { env } from '../env'
import { AppError } from '../errors'
import { callerNetwork } from '../http'
import type { Origin } from './actor'

type Attempt = { failed(): Promise<void>; succeeded(): Promise<void>; release(): Promise<void> }

/** How many sign-ins to one account may be under way at once: a bound on guessing in parallel. */
const maxUnderWay = 40
const underWayMs = 60_000

/**
 * Takes a place for one try at an account's password. Only wrong passwords count against the limits,
 * so that a team behind one address is not shut out by its own sign-ins. Throws too_many_requests.
 */
export async function reserveSignIn(email: string, ip: string): Promise<Attempt> {
  const limits = env().RATE_LIMITS
  if (limits === 'off') return { failed: nothing, succeeded: nothing, release: nothing }
  const account = `login:${email}`
  const address = `address:${callerNetwork(ip)}`
  const underWay = `underway:${email}`
  for (const [key, limit] of [
    [account, limits.login],
    [address, limits.address],
  ] as const) {
    const { count, resetMs } = await addCount(key, limit.windowMs, 0)
    if (count >= limit.count) throw tooMany(resetMs)
  }
  const { count } = await addCount(underWay, underWayMs, 1)
  if (count > maxUnderWay) {
    await addCount(underWay, underWayMs, -1)
    throw tooMany(1000)
  }
  return {
    failed: async () => {
      await addCount(account, limits.login.windowMs, 1)
      await addCount(address, limits.address.windowMs, 1)
    },
    succeeded: () => clearCount(account),
    release: async () => void (await addCount(underWay, underWayMs, -1)),
  }
}

/**
 * One try at something that nobody should guess, counted by address, apart from passwords: a program that was set up
 * wrongly must not lock its office out. Throws too_many_requests.
 */
export async function beginGuess(at: 'access' | 'launch', ip: string): Promise<Pick<Attempt, 'failed'>> {
  const limits = env().RATE_LIMITS
  if (limits === 'off') return { failed: nothing }
  const { count, windowMs } = limits.address
  const tried = await addCount(`${at}:${callerNetwork(ip)}`, windowMs, 0)
  if (tried.count >= count) throw tooMany(tried.resetMs)
  return { failed: async () => void (await addCount(`${at}:${callerNetwork(ip)}`, windowMs, 1)) }
}

async function nothing(): Promise<void> {}

function tooMany(resetMs: number): AppError {
  const minutes = Math.max(1, Math.ceil(resetMs / 60_000))
  return new AppError('too_many_requests', `Too many tries to sign in. Try again in ${minutes} min.`, {
    retryAfterSeconds: resetMs / 1000,
  })
}

/** Counts an account that is made, by address. Throws too_many_requests. */
export async function countRegistration({ ip }: Pick<Origin, 'ip'>): Promise<void> {
  const limits = env().RATE_LIMITS
  if (limits === 'off') return
  const { count, resetMs } = await addCount(`register:${callerNetwork(ip)}`, limits.register.windowMs, 1)
  if (count <= limits.register.count) return
  const message = 'Too many accounts were made from this address. Try again later.'
  throw new AppError('too_many_requests', message, { retryAfterSeconds: resetMs / 1000 })
}
