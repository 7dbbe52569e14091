// What was measured, against its limits.
import { writeFileSync } from 'node:fs'

/** @type {{ what: string, figure: number, limit: number, unit: string, ratio: number }[]} */
const rows = []

/**
 * One figure against its limit; a ratio under 1 is within.
 * @type {(what: string, figure: number, limit: number, unit: string) => void}
 */
export function report(what, figure, limit, unit) {
  const row = { what, figure: round(figure), limit: round(limit), unit, ratio: round(figure / limit) }
  rows.push(row)
  console.log(writeRow(row))
}

/** @type {(row: typeof rows[number]) => string} */
function writeRow({ what, figure, limit, unit, ratio }) {
  return `${ratio.toFixed(2).padStart(7)}  ${what}: ${figure} ${unit} (limit ${limit})`
}

/** @type {(value: number) => number} */
const round = (value) => Math.round(value * 100) / 100

/** Prints all rows again, and writes them as JSON. @param {string} file */
export function finish(file) {
  console.log(`\n  ratio  (figure / limit; under 1 is within)\n${rows.map(writeRow).join('\n')}`)
  writeFileSync(file, `${JSON.stringify({ at: new Date().toISOString(), rows }, null, 2)}\n`)
  console.log(`\nWritten to ${file}`)
}

/** @type {(values: number[], share: number) => number} */
export function quantile(values, share) {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0
}
