import { v7 as newId } from 'uuid'
import { db, type JsonInput, type Transaction } from './db'

export type AuditRecord = {
  actorId: string | null
  action: string
  target?: string | null
  ip?: string | null
  requestId?: string | null
  detail?: JsonInput
}

/**
 * Writes down who did what, inside `tx` where one is given, so that both happen or neither.
 * Throws if it could not be written; then what it stands for must not happen.
 */
export async function recordAudit(
  record: AuditRecord,
  tx: Pick<Transaction, 'auditEvent'> = db(),
): Promise<void> {
  await tx.auditEvent.create({ data: { id: newId(), ...record, detail: record.detail ?? {} } })
}
