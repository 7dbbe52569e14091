import type { CredentialView, KeyConcern } from '../contracts/credentials'

export const noticeMs = 14 * 86_400_000

const kinds: KeyConcern['kind'][] = ['expired', 'failing', 'expiring']

/** Why a key asks for attention, or null where it does not. */
export function findConcern(credential: CredentialView): KeyConcern | null {
  const leftMs = credential.expiresAt === null ? null : Date.parse(credential.expiresAt) - Date.now()
  if (leftMs !== null && leftMs <= 0) return { kind: 'expired', credential }
  if (credential.failure !== null) return { kind: 'failing', credential }
  if (leftMs !== null && leftMs <= noticeMs) return { kind: 'expiring', credential }
  return null
}

/** The most urgent first, and among those that are to expire the soonest. */
export function inOrderOfConcern(one: KeyConcern, other: KeyConcern): number {
  const byKind = kinds.indexOf(one.kind) - kinds.indexOf(other.kind)
  const times = [one, other].map(({ credential }) => credential.expiresAt ?? '')
  return byKind || (times[0] ?? '').localeCompare(times[1] ?? '')
}
