import { v7 as newId } from 'uuid'
import { csvHeadings, toCsv } from './audit/csv'
import { toEntries } from './audit/entries'
import { type AuditRow, findRows, readFilter } from './audit/rows'
import {
  type AuditAction,
  type AuditDetail,
  type AuditEntry,
  type AuditFilter,
  type AuditQuery,
  auditDetails,
} from './contracts/audit'
import type { Listing } from './contracts/primitives'
import { db, type Transaction } from './db'
import { AppError } from './errors'
import { type Place, readCursor, toListing, writeCursor } from './paging'

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
  const said = auditDetails[action].safeParse(record.detail ?? {})
  if (!said.success) throw new AppError('internal', 'This could not be written down.', { cause: said.error })
  const data = { actorId, keyId, action, target, ip, requestId, detail: said.data }
  await tx.auditEvent.create({ data: { id: newId(), ...data } })
}

/** Who reads the audit. */
export type AuditReader = { userId: string; role: string }

/** The records that fit, newest first, page by page. Throws forbidden for all but admins, invalid_input for a bad cursor. */
export async function listAudit(reader: AuditReader, query: AuditQuery): Promise<Listing<AuditEntry>> {
  requireAdmin(reader)
  const { limit, cursor, ...filter } = query
  const place = readCursor(cursor)
  const where = await readFilter(db(), filter)
  const rows = where ? await findRows(db(), where, { place, take: limit + 1 }) : []
  const page = toListing(rows, limit, { record: (row) => row, cursor: writeCursor })
  return { items: await toEntries(db(), page.items), next_cursor: page.next_cursor }
}

function requireAdmin({ role }: AuditReader): void {
  if (role !== 'admin') throw new AppError('forbidden', 'The audit is for admins.')
}

/** So many records are read, held and sent at a time. */
const batchSize = 500

type Origin = { ip: string; requestId: string | null }

/**
 * All records that fit, newest first, as pieces of CSV that are made while they are read; the export itself is written
 * down before anything is given out. `findReader` says before each piece who reads, so that it ends with their right to.
 * Throws forbidden for all but admins.
 */
export async function exportAudit(
  findReader: () => Promise<AuditReader>,
  filter: AuditFilter,
  { ip, requestId }: Origin,
): Promise<AsyncGenerator<string>> {
  const reader = await findReader()
  requireAdmin(reader)
  await recordAudit({ actorId: reader.userId, action: 'audit.export', ip, requestId, detail: filter })
  return writeCsv(findReader, filter)
}

async function* writeCsv(
  findReader: () => Promise<AuditReader>,
  filter: AuditFilter,
): AsyncGenerator<string> {
  const where = await readFilter(db(), filter)
  yield csvHeadings()
  let place: Place | null = null
  while (where) {
    requireAdmin(await findReader())
    const rows: AuditRow[] = await findRows(db(), where, { place, take: batchSize })
    if (rows.length > 0) yield toCsv(await toEntries(db(), rows))
    if (rows.length < batchSize) return
    place = rows.at(-1) ?? null
  }
}
