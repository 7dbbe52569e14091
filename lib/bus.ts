import { EventEmitter } from 'node:events'
import { env } from './env'
import { AppError } from './errors'
import { log } from './log'
import { remember } from './remember'

type Listener = (message: unknown) => void

const emitter = () => remember('bus', () => new EventEmitter().setMaxListeners(0))

/** Tells everyone who listens to this topic. Never throws: a listener's fault is its own, and is logged. */
export function publish(topic: string, message: unknown): void {
  for (const listener of emitter().listeners(topic)) {
    try {
      listener(message)
    } catch (err) {
      log().error({ err, topic }, 'a listener failed')
    }
  }
}

/** Listens to a topic until the returned function is called. */
export function subscribe(topic: string, listener: Listener): () => void {
  emitter().on(topic, listener)
  return () => emitter().off(topic, listener)
}

type Window = { count: number; endsAt: number }
const maxWindows = 50_000
const windows = () => remember('bus.windows', () => new Map<string, Window>())

/** What a counter says: how often within the window, and how long until the window ends, in milliseconds. */
export type Count = { count: number; resetMs: number }

/** Adds to a counter whose window begins with its first count. Negative numbers take back. */
export async function addCount(key: string, windowMs: number, by: number): Promise<Count> {
  const now = Date.now()
  const known = windows().get(key)
  const window = known && known.endsAt > now ? known : { count: 0, endsAt: now + windowMs }
  window.count = Math.max(0, window.count + by)
  if (window.count === 0) windows().delete(key)
  else windows().set(key, window)
  if (windows().size > maxWindows) forgetEndedWindows(now)
  return { count: window.count, resetMs: window.endsAt - now }
}

/**
 * Counts one more deed of a kind that `RATE_LIMITS` bounds, by `who`.
 * Throws too_many_requests, in these words, beyond the bound.
 */
export async function countWithin(
  kind: 'register' | 'message' | 'test',
  who: string,
  words: string,
): Promise<void> {
  const limits = env().RATE_LIMITS
  if (limits === 'off') return
  const { count, resetMs } = await addCount(`${kind}:${who}`, limits[kind].windowMs, 1)
  if (count <= limits[kind].count) return
  throw new AppError('too_many_requests', words, { retryAfterSeconds: resetMs / 1000 })
}

/** Sets a counter back to nothing. */
export async function clearCount(key: string): Promise<void> {
  windows().delete(key)
}

function forgetEndedWindows(now: number): void {
  for (const [key, { endsAt }] of windows()) if (endsAt <= now) windows().delete(key)
  // Still too many, so somebody counts under ever new names: the oldest go.
  for (const key of windows().keys()) {
    if (windows().size <= maxWindows) return
    windows().delete(key)
  }
}
