import { v7 as newId } from 'uuid'
import { db, type JsonInput } from './db'

export type AuditRecord = {
  actorId: string | null
  action: string
  target?: string | null
  ip?: string | null
  requestId?: string | null
  detail?: JsonInput
}

/** Writes down who did what. Throws if it could not be written; then what it stands for must not happen. */
export async function recordAudit(record: AuditRecord): Promise<void> {
  await db().auditEvent.create({ data: { id: newId(), ...record, detail: record.detail ?? {} } })
}
