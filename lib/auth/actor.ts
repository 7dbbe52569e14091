import type { Role } from '../contracts/accounts'
import type { KeyPolicy, Scope } from '../contracts/keys'

/** Who is calling, as the database says at this moment. */
export type Actor = {
  userId: string
  role: Role
  email: string
  name: string | null
  /** Empty where there is no session: an API key, or the server on a user's behalf. */
  sessionId: string
  /** The API key that was sent, if it was one. */
  keyId: string | null
  /** What that key may be used for; null: a session, which may do all that the user may. */
  scopes: readonly Scope[] | null
  /** The one project that the key reaches; null: all that the user reaches. */
  boundTo: string | null
  /** What that key may do in the gateway; null without a key. */
  policy: KeyPolicy | null
}

/** What an actor has who came without an API key. */
export const withoutKey = { keyId: null, scopes: null, boundTo: null, policy: null } as const

/**
 * The memberships by which an actor reaches projects: the user's own; through a key that is bound to a project, the one
 * of that project alone. To be put where a query asks for members.
 */
export function membershipOf({ userId, boundTo }: Actor): { userId: string; projectId?: string } {
  return boundTo === null ? { userId } : { userId, projectId: boundTo }
}

/** Where a call comes from, for the audit and the list of devices. */
export type Origin = { ip: string; userAgent: string | null; requestId: string | null }
