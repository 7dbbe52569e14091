import { EventEmitter } from 'node:events'
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
/** Counters by what is counted: whoever floods one kind makes room in that alone. */
const kinds = () => remember('bus.windows', () => new Map<string, Map<string, Window>>())

/** All counters of a key's kind, which is what stands before its first colon. */
function windowsOf(key: string): Map<string, Window> {
  const kind = key.slice(0, Math.max(0, key.indexOf(':')))
  const known = kinds().get(kind)
  if (known) return known
  const made = new Map<string, Window>()
  kinds().set(kind, made)
  return made
}

/** What a counter says: how often within the window, and how long until the window ends, in milliseconds. */
export type Count = { count: number; resetMs: number }

/**
 * Adds to a counter whose window begins with its first count. Negative numbers take back. Keys look like `kind:name`, of
 * few kinds.
 */
export async function addCount(key: string, windowMs: number, by: number): Promise<Count> {
  const now = Date.now()
  const windows = windowsOf(key)
  const known = windows.get(key)
  const window = known && known.endsAt > now ? known : { count: 0, endsAt: now + windowMs }
  window.count = Math.max(0, window.count + by)
  if (window.count === 0) windows.delete(key)
  else windows.set(key, window)
  if (windows.size > maxWindows) forgetWindows(windows, now)
  return { count: window.count, resetMs: window.endsAt - now }
}

/** Sets a counter back to nothing. */
export async function clearCount(key: string): Promise<void> {
  windowsOf(key).delete(key)
}

/** Makes room for a tenth, so that not every count under a new name costs a look at all of them. */
function forgetWindows(windows: Map<string, Window>, now: number): void {
  for (const [key, { endsAt }] of windows) if (endsAt <= now) windows.delete(key)
  // Still too many, so somebody counts under ever new names: the oldest go.
  for (const key of windows.keys()) {
    if (windows.size <= maxWindows * 0.9) return
    windows.delete(key)
  }
}
