import type { AuditEntry } from '../contracts/audit'
import { guardCell, writeCsvLines } from '../csv'

const columns = [
  'id',
  'time',
  'action',
  'actor_email',
  'actor_id',
  'key_id',
  'target',
  'ip',
  'request_id',
  'detail',
]

/** The line of headings. */
export function csvHeadings(): string {
  return writeCsvLines([columns])
}

/** The records as lines of CSV (RFC 4180), safe to open in a spreadsheet. */
export function toCsv(entries: AuditEntry[]): string {
  return writeCsvLines(
    entries.map(({ actor, detail, ...entry }) =>
      [
        entry.id,
        entry.at,
        entry.action,
        actor?.email,
        actor?.id,
        entry.key_id,
        entry.target,
        entry.ip,
        entry.request_id,
        writeDetail(detail),
      ].map((cell) => guardCell(cell ?? '')),
    ),
  )
}

/**
 * As JSON, in which a semicolon can be written otherwise: where it separates cells, as in much of Europe, Excel would see
 * one in the middle of this, and a formula after it. So all that people have named is in here, and in no cell of its own.
 */
function writeDetail(detail: Record<string, unknown>): string {
  return JSON.stringify(detail).replaceAll(';', '\\u003b')
}
