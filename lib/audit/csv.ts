import { stringify } from 'csv-stringify/sync'
import type { AuditEntry } from '../contracts/audit'

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
  return writeLines([columns])
}

/** The records as lines of CSV (RFC 4180), safe to open in a spreadsheet. */
export function toCsv(entries: AuditEntry[]): string {
  return writeLines(
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

/** All that is not empty in quotes: some spreadsheets take what is not for a date or a number, and change it. */
function writeLines(lines: string[][]): string {
  return lines.length === 0 ? '' : stringify(lines, { quoted: true, record_delimiter: 'windows' })
}

/**
 * As JSON, in which a semicolon can be written otherwise: where it separates cells, as in much of Europe, Excel would see
 * one in the middle of this, and a formula after it. So all that people have named is in here, and in no cell of its own.
 */
function writeDetail(detail: Record<string, unknown>): string {
  return JSON.stringify(detail).replaceAll(';', '\\u003b')
}

// Signs that begin a formula, behind anything that a spreadsheet may drop: blanks, control characters, quotes.
const formula = /^[\s\p{C}\p{Z}"'`´‘’“”]*[=+\-−@|%]/u
const dropped = /^['\t\r\n]/

/**
 * A cell that no spreadsheet runs: an apostrophe goes before what would begin a formula, also in full width or another
 * form of the same sign, before tabs and line breaks, and before an apostrophe, so that a reader can take one off again.
 */
export function guardCell(cell: string): string {
  const isSafe = !dropped.test(cell) && !formula.test(cell) && !formula.test(cell.normalize('NFKC'))
  return isSafe ? cell : `'${cell}`
}
