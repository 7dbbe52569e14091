import { stringify } from 'csv-stringify/sync'

/** Lines of CSV (RFC 4180). All that is not empty in quotes: some spreadsheets take what is not for a date or a number, and change it. */
export function writeCsvLines(lines: string[][]): string {
  return lines.length === 0 ? '' : stringify(lines, { quoted: true, record_delimiter: 'windows' })
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
