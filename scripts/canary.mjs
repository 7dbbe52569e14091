// What the canary watch of a test run (tests/support/canary) has searched, and whether it has found a secret.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { say } from './report.mjs'

/** Without these the watch itself is broken. */
const EXPECTED = ['secrets', 'answers', 'frames', 'bytes', 'log lines', 'rows', 'files']

/**
 * Tells what was searched and each secret that was found. Whether there was none, and everything was looked at.
 * @param {string} folder
 */
export function requireNoSecretTold(folder) {
  const { counts, leaks } = readRun(folder)
  const searched = Object.entries(counts).map(([what, number]) => `${number} ${what}`)
  say(`  searched: ${searched.sort().join(', ') || 'nothing'}`)
  const missing = EXPECTED.filter((what) => !counts[what])
  if (missing.length > 0) say(`  The watch does not work: it has seen no ${missing.join(', no ')}.`)
  for (const { secret, form, where, around } of leaks)
    say(`  TOLD: ${secret}, ${form}: ${where}\n    ${around}`)
  say(`  found: ${leaks.length}`)
  return leaks.length + missing.length === 0
}

/**
 * What all processes of a run have searched, and what they have found.
 * @typedef {{ store: string, secret: string, form: string, where: string, around: string }} Leak
 * @param {string} folder
 */
export function readRun(folder) {
  /** @type {Record<string, number>} */
  const counts = {}
  /** @type {Leak[]} */
  const leaks = []
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const text = readFileSync(join(folder, name), 'utf8')
    if (name.endsWith('.leaks'))
      for (const line of text.split('\n').slice(0, -1)) leaks.push(JSON.parse(line))
    if (!name.endsWith('.counts')) continue
    for (const [what, number] of Object.entries(JSON.parse(text))) counts[what] = (counts[what] ?? 0) + number
  }
  return { counts, leaks }
}
