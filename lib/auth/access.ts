import { publish, subscribe } from '../bus'
import { remember } from '../remember'
import type { Actor } from './actor'

const accessTopic = (userId: string) => `auth:${userId}`

/** Tells the live streams of a user that what the user may do has changed. */
export function announceAccessChange(userId: string): void {
  publish(accessTopic(userId), null)
  publish(anyAccess, null)
}

const anyAccess = 'auth'
const changes = () =>
  remember('auth.changes', () => {
    const seen = { count: 0 }
    subscribe(anyAccess, () => {
      seen.count += 1
    })
    return seen
  })

type Lookup = { changesBefore: number; expiresAtMs: number | null }

/** How many changes there had been when an actor was looked up, and when its session or key runs out. */
const lookups = new WeakMap<Actor, Lookup>()

/** To be called before an actor is looked up; what it returns, with the one who was found. */
export function beginLookup(): (actor: Actor, expiresAt: Date | null) => Actor {
  const changesBefore = changes().count
  return (actor, expiresAt) => {
    lookups.set(actor, { changesBefore, expiresAtMs: expiresAt?.getTime() ?? null })
    return actor
  }
}

/** Whether what anybody may do has changed since this actor was looked up; if not, what was found then still holds. */
export function hasAccessChanged(actor: Actor): boolean {
  return lookups.get(actor)?.changesBefore !== changes().count
}

/** Whether what was found of this actor still holds: nothing changed since, and it has not run out. */
export function isStillGood(actor: Actor): boolean {
  const { expiresAtMs = 0 } = lookups.get(actor) ?? {}
  return !hasAccessChanged(actor) && (expiresAtMs === null || expiresAtMs > Date.now())
}

/** A timer cannot wait for longer, and no stream lasts so long. */
const longestTimerMs = 2 ** 31 - 1

/**
 * Calls back whenever what the actor may do has changed, and when its session or key has run out, so that live streams
 * look again. Returns how to stop listening.
 */
export function onAccessChange(actor: Actor, changed: () => void): () => void {
  const unsubscribe = subscribe(accessTopic(actor.userId), changed)
  const expiresAtMs = lookups.get(actor)?.expiresAtMs ?? Number.POSITIVE_INFINITY
  // A timer may be a moment early; then the look would find that all is well.
  const leftMs = Math.max(0, expiresAtMs - Date.now()) + 5
  const timer = leftMs <= longestTimerMs ? setTimeout(changed, leftMs).unref() : undefined
  return () => {
    clearTimeout(timer)
    unsubscribe()
  }
}
