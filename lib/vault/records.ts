import type {
  CredentialFailure,
  CredentialRecord,
  CredentialScope,
  CredentialType,
  CredentialView,
} from '../contracts/credentials'
import type { Prisma } from '../db'
import type { SealedFor } from './seal'

/** What is read with a credential: whose it is, by name. */
export const withOwner = { user: { select: { email: true } } }
export type CredentialRow = Prisma.CredentialGetPayload<{ include: typeof withOwner }>

/** The record as it may be seen: nothing of the key but its last four characters. */
export function toCredentialRecord(row: CredentialRow): CredentialRecord {
  return {
    id: row.id,
    scope: row.scope as CredentialScope,
    credentialType: row.type as CredentialType,
    projectId: row.projectId,
    username: row.user?.email ?? null,
    label: row.label,
    baseUrl: row.baseUrl,
    last4: row.last4,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  }
}

/** The same with what pages tell besides: when it ends, and what is said against it. */
export function toCredentialView(row: CredentialRow): CredentialView {
  return {
    ...toCredentialRecord(row),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    failure: row.failure as CredentialFailure | null,
    failedAt: row.failedAt?.toISOString() ?? null,
  }
}

/** What the record's seal is bound to. */
export function sealedFor(row: {
  scope: string
  userId: string | null
  projectId: string | null
  id: string
  version: number
}): SealedFor {
  const ownerId = row.scope === 'user' ? row.userId : row.scope === 'project' ? row.projectId : null
  return { scope: row.scope, ownerId, id: row.id, version: row.version }
}

const shortestMasked = 8

/** The last four characters; none of a key so short that they would be half of it. */
export function lastFour(apiKey: string): string {
  return apiKey.length >= shortestMasked ? apiKey.slice(-4) : ''
}
