import { v7 as newId } from 'uuid'
import { type AuditAction, type AuditDetail, auditDetails } from './contracts/audit'
import { db, type Transaction } from './db'

type Who = {
  actorId: string | null
  /** The API key that the actor came with, if any. */
  keyId?: string | null
  target?: string | null
  ip?: string | null
  requestId?: string | null
}

/** One deed: who, what, to what, from where. What it may say of itself, `auditDetails` lists. */
export type AuditRecord = {
  [A in AuditAction]: Who & { action: A; detail?: AuditDetail<A> }
}[AuditAction]

/**
 * Writes down who did what, inside `tx` where one is given, so that both happen or neither.
 * Throws if it could not be written; then what it stands for must not happen.
 */
export async function recordAudit(
  record: AuditRecord,
  tx: Pick<Transaction, 'auditEvent'> = db(),
): Promise<void> {
  const { actorId, keyId, action, target, ip, requestId } = record
  const detail = auditDetails[action].parse(record.detail ?? {})
  await tx.auditEvent.create({ data: { id: newId(), actorId, keyId, action, target, ip, requestId, detail } })
}
