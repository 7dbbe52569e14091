// npm run test:crash: kills the server over and over while it answers, and compares every frame that any reader saw
// with what is there afterwards. CRASH_ROUNDS (200) says how often, CRASH_SEED repeats a plan, CRASH_LIMIT (minutes,
// 60) how long at most. Starts a server, a database and an upstream of its own, and ends them.
import { runCrashes } from '../tests/support/crash/run.ts'
import { build, isFresh, remake } from './freshness.mjs'
import { Problem, runCommand, say, step } from './report.mjs'
import { runTool } from './tools.mjs'

const DIST_DIR = '.next-test'

runCommand(async () => {
  process.env.AL_DIST_DIR ??= DIST_DIR
  const distDir = process.env.AL_DIST_DIR
  if (distDir === DIST_DIR && !isFresh(build(distDir)))
    await step('Building the pages', () =>
      remake(build(distDir), () => runTool('next/dist/bin/next', ['build'], { NODE_ENV: 'production' })),
    )
  const rounds = readNumber('CRASH_ROUNDS', 200)
  const limitMs = readNumber('CRASH_LIMIT', 60) * 60_000
  const seed = readNumber('CRASH_SEED', Date.now() % 1_000_000)
  // Whatever hangs, the command ends.
  setTimeout(() => fail(`no end after ${limitMs / 60_000} minutes and one more`), limitMs + 60_000).unref()
  const report = await runCrashes({ rounds, limitMs, seed, say: (line) => say(`  ${line}`) })
  print(report)
  process.exit(report.violations.length > 0 ? 1 : 0)
})

/**
 * @param {string} name
 * @param {number} usual
 */
function readNumber(name, usual) {
  const given = Number(process.env[name] || usual)
  if (!Number.isInteger(given) || given < 0)
    throw new Problem(`${name} is “${process.env[name]}”, and must be a number.`)
  return given
}

/** @param {string} reason */
function fail(reason) {
  process.stderr.write(`\nAL-Chat: ${reason}\n`)
  process.exit(1)
}

/** @param {import('../tests/support/crash/run.ts').CrashReport} report */
function print({ violations, errors, ends, ...figures }) {
  say('')
  for (const [name, figure] of Object.entries({ ...figures, ...ends }))
    say(`  ${name.padEnd(18)} ${Math.round(figure)}`)
  for (const [message, count] of errors) say(`  logged ${count} times: ${message}`)
  say(`  violations         ${violations.length}`)
  for (const violation of violations.slice(0, 50)) say(`    ${violation}`)
}
