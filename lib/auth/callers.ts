import type { Scope } from '../contracts/keys'
import { AppError } from '../errors'
import { callerAddress } from '../http'
import { hasAccessChanged, onAccessChange } from './access'
import type { Actor } from './actor'
import { findKeyActor, isKeyLive } from './key-actor'
import { findSessionActor, isSessionLive } from './sessions'
import { readCarried } from './token-source'

/** Whoever calls, by a session or by any key that is good. Throws unauthenticated, too_many_requests. */
export async function requireCaller(request: Request): Promise<Actor> {
  const carried = readCarried(request)
  if (carried.kind === 'refused') throw new AppError('unauthenticated', carried.reason)
  if (carried.kind === 'key') {
    const actor = await findKeyActor(carried.text, callerAddress(request))
    if (!actor)
      throw new AppError('unauthenticated', 'This API key was revoked, has run out, or never was one.')
    return actor
  }
  const actor = carried.kind === 'session' ? await findSessionActor(carried.token) : null
  if (!actor) throw new AppError('unauthenticated', 'Sign in first.')
  return actor
}

/** The caller's account, by a session of a person's. Throws unauthenticated, and forbidden for keys. */
export async function requireUser(request: Request): Promise<Actor> {
  const actor = await requireCaller(request)
  if (actor.scopes !== null) {
    throw new AppError('forbidden', 'API keys cannot do this: it needs a session. Sign in for it.')
  }
  return actor
}

/** An admin, by a session. Throws unauthenticated, and forbidden for everybody else. */
export async function requireAdmin(request: Request): Promise<Actor> {
  const actor = await requireUser(request)
  if (actor.role !== 'admin') throw new AppError('forbidden', 'This is for admins.')
  return actor
}

/** Lets in sessions, and keys with one of these scopes. What it returns throws unauthenticated, forbidden. */
export function requireScope(...scopes: [Scope, ...Scope[]]): (request: Request) => Promise<Actor> {
  return async (request) => {
    const actor = await requireCaller(request)
    if (actor.scopes !== null) requireOneOf(actor.scopes, scopes)
    return actor
  }
}

/** Lets in keys with this scope, and nobody else. What it returns throws unauthenticated, forbidden. */
export function requireKey(scope: Scope): (request: Request) => Promise<Actor> {
  return async (request) => {
    const actor = await requireCaller(request)
    if (actor.scopes === null) {
      throw new AppError('forbidden', `This takes an API key with the scope ${scope}, not a session.`)
    }
    requireOneOf(actor.scopes, [scope])
    return actor
  }
}

function requireOneOf(held: readonly Scope[], wanted: readonly Scope[]): void {
  if (wanted.some((scope) => held.includes(scope))) return
  throw new AppError('forbidden', `This API key lacks the scope ${wanted.join(' or ')}.`)
}

/** Whether the actor may go on: the session or key still good, the account not disabled. */
export function hasAccess(actor: Actor): Promise<boolean> {
  return actor.keyId === null ? isSessionLive(actor) : isKeyLive(actor.keyId)
}

/** A signal that fires when the actor may not go on. To be released when what it guards has ended. */
export function watchAccess(actor: Actor): { lost: AbortSignal; release: () => void } {
  const ended = new AbortController()
  const look = async () => {
    // A database that does not answer says nothing good either.
    if (await hasAccess(actor).catch(() => false)) return
    ended.abort(new AppError('unauthenticated', 'The session or the API key has ended.'))
  }
  const release = onAccessChange(actor, () => void look())
  // What changed since the actor was looked up was announced before anyone listened.
  if (hasAccessChanged(actor)) void look()
  return { lost: ended.signal, release }
}
