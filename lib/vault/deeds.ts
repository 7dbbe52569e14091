import { recordAudit } from '../audit'
import type { Actor, Origin } from '../auth'
import type { AuditAction } from '../contracts/audit'
import type { Transaction } from '../db'
import type { CredentialRow } from './records'

type Deed = {
  actor: Actor
  origin: Origin
  action: Extract<AuditAction, `credential.${string}`>
  row: CredentialRow
  /** Which fields were changed, by name. */
  changed?: string[]
  /** For whom a key was asked for. */
  username?: string
}

/** Writes down what is done with a key, and nothing of the key. Throws if it cannot be; then it must not happen. */
export async function recordDeed(
  tx: Transaction,
  { actor, origin, action, row, ...more }: Deed,
): Promise<void> {
  const { scope, type, projectId, label, baseUrl, last4, version } = row
  const expiresAt = row.expiresAt?.toISOString() ?? null
  await recordAudit(
    {
      actorId: actor.userId,
      keyId: actor.keyId,
      action,
      target: row.id,
      ip: origin.ip,
      requestId: origin.requestId,
      detail: { scope, type, projectId, label, baseUrl, last4, version, expiresAt, ...more },
    },
    tx,
  )
}
