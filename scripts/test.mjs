// Every check there is, one after the other, with one command. Ends by itself, leaves nothing behind, and works beside
// a running server: its build, its ports, its data and its temporary files are its own.
import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { requireNoSecretTold } from './canary.mjs'
import { provideChromium } from './chromium.mjs'
import { provideCurl } from './curl.mjs'
import { failedInPlaywright, failedInVitest, tellFailures } from './failed-tests.mjs'
import { build, isFresh, remake } from './freshness.mjs'
import { listRemaining } from './leftovers.mjs'
import { runCommand, say, secondsSince } from './report.mjs'
import { findNode, runTool as runQuietly } from './tools.mjs'

/**
 * @typedef {{ passed: number, failed: number }} Count
 * @typedef {{ name: string, count: Count, took: string }} Outcome
 */

const DIST_DIR = '.next-test'

/** @type {Outcome[]} */
const outcomes = []

/** @type {import('./failed-tests.mjs').Failure[]} */
const failures = []

/** The tool at work. @type {import('node:child_process').ChildProcess | undefined} */
let running

runCommand(async () => {
  const started = performance.now()
  const runDir = mkdtempSync(join(tmpdir(), 'al-chat-run-'))
  // As open as /tmp itself: some tests, and Postgres under root, act as another user.
  chmodSync(runDir, 0o1777)
  const canaryDir = join(runDir, 'canary')
  mkdirSync(canaryDir)
  chmodSync(canaryDir, 0o1777)
  process.once('exit', () => rmSync(runDir, { recursive: true, force: true, maxRetries: 5 }))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => abandon(runDir))
  Object.assign(process.env, {
    AL_TEST_RUN: runDir,
    AL_CANARY: canaryDir,
    TMPDIR: runDir,
    AL_DIST_DIR: DIST_DIR,
    NEXT_TELEMETRY_DISABLED: '1',
  })
  if (!process.stdout.isTTY) process.env.NO_COLOR = '1'
  await runChecks(runDir)
  if (await runTests(runDir)) await check('canary watch', async () => requireNoSecretTold(canaryDir))
  await check('nothing left behind', () => requireNothingLeft(runDir))
  summarize(started)
})

/**
 * Ends the tool at work and whatever it started; the servers of the tests end by themselves without it.
 * @param {string} runDir
 */
async function abandon(runDir) {
  running?.kill('SIGTERM')
  await listRemaining(runDir)
  process.exit(1)
}

/** @param {string} runDir */
async function runChecks(runDir) {
  await check('biome', () => runTool('@biomejs/biome/bin/biome', ['ci', '--colors=off']))
  await check('tsc', () => checkTypes(runDir))
  const layers = ['app', 'components', 'lib', 'instrumentation.ts'].filter((path) => existsSync(path))
  await check('dependency-cruiser', () => runTool('dependency-cruiser/bin/dependency-cruise.mjs', layers))
  await check('knip', () => runTool('knip/bin/knip.js', ['--no-progress']))
}

/**
 * @param {string} runDir
 * @returns {Promise<boolean>} whether servers were tested too
 */
async function runTests(runDir) {
  await vitest('unit', runDir)
  const built = await check('build', buildPages)
  if (!built) say('\nThe tests that need the built pages are not run.')
  if (!built) return false
  process.env.CURL_PATH = await provideCurl()
  await vitest('api', runDir)
  await vitest('start', runDir)
  await playwright(runDir)
  return true
}

/**
 * One check that passes or fails as a whole.
 * @param {string} name
 * @param {() => Promise<boolean>} run
 */
async function check(name, run) {
  const started = begin(name)
  const passed = await run()
  end(name, { passed: passed ? 1 : 0, failed: passed ? 0 : 1 }, started)
  return passed
}

/** @param {string} name */
function begin(name) {
  say(`\n== ${name}`)
  return performance.now()
}

/**
 * @param {string} name
 * @param {Count} count
 * @param {number} started
 */
function end(name, count, started) {
  outcomes.push({ name, count, took: secondsSince(started) })
}

/**
 * Next's types of this build, and not those of the folder that a running server was built into.
 * @param {string} runDir
 */
async function checkTypes(runDir) {
  const config = resolve('.cache/tsconfig.json')
  mkdirSync('.cache', { recursive: true })
  writeFileSync(config, JSON.stringify(TYPE_CHECK))
  if (!(await runTool('next/dist/bin/next', ['typegen']))) return false
  return runTool('typescript/bin/tsc', ['-p', config, '--tsBuildInfoFile', join(runDir, 'tsc.tsbuildinfo')])
}

const TYPE_CHECK = {
  extends: '../tsconfig.json',
  compilerOptions: { types: ['node', 'react', 'react-dom', 'next', 'next/image-types/global'] },
  include: ['../**/*.ts', '../**/*.tsx', '../**/*.mjs', `../${DIST_DIR}/types/**/*.ts`],
  exclude: ['../node_modules', '../next-env.d.ts', '../.next'],
}

async function buildPages() {
  if (isFresh(build(DIST_DIR))) return true
  try {
    await remake(build(DIST_DIR), () =>
      runQuietly('next/dist/bin/next', ['build'], { NODE_ENV: 'production' }),
    )
    return true
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return false
  }
}

/**
 * @param {string} project
 * @param {string} runDir
 */
async function vitest(project, runDir) {
  const started = begin(`vitest: ${project}`)
  const report = join(runDir, `${project}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const ok = await runTool('vitest/vitest.mjs', [
    'run',
    '--project',
    project,
    '--passWithNoTests',
    ...reporters,
  ])
  const told = readReport(report)
  failures.push(...failedInVitest(told))
  const { numPassedTests = 0, numFailedTests = 0 } = told
  end(`vitest: ${project}`, fairCount(numPassedTests, numFailedTests, ok), started)
}

/** @param {string} runDir */
async function playwright(runDir) {
  const started = begin('playwright')
  const report = join(runDir, 'e2e.json')
  const chromium = await provideChromium()
  const env = { CHROMIUM_PATH: chromium, PLAYWRIGHT_JSON_OUTPUT_FILE: report }
  const ok = await runTool(
    '@playwright/test/cli.js',
    ['test', '--reporter=list,json', '--pass-with-no-tests'],
    env,
  )
  const told = readReport(report)
  failures.push(...failedInPlaywright(told))
  const { expected = 0, unexpected = 0, flaky = 0 } = told.stats ?? {}
  end('playwright', fairCount(expected, unexpected + flaky, ok), started)
}

/**
 * A run that failed without a failed test, say in a set-up, counts as one.
 * @param {number} passed
 * @param {number} failed
 * @param {boolean} ok
 * @returns {Count}
 */
function fairCount(passed, failed, ok) {
  return { passed, failed: ok ? failed : Math.max(1, failed) }
}

/** @param {string} file */
function readReport(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}

/** @param {string} runDir */
async function requireNothingLeft(runDir) {
  const processes = await listRemaining(runDir)
  for (const { pid, command } of processes) say(`  still running: ${pid} ${command}`)
  const files = readdirSync(runDir).filter((name) => name.startsWith('al-chat-'))
  for (const name of files) say(`  not removed: ${join(runDir, name)}`)
  return processes.length + files.length === 0
}

/** @param {number} started */
function summarize(started) {
  say('\n== summary')
  for (const { name, count, took } of outcomes)
    say(
      `  ${count.failed > 0 ? 'FAILED' : 'passed'}  ${name} (${count.passed} passed, ${count.failed} failed, ${took})`,
    )
  const passed = outcomes.reduce((sum, { count }) => sum + count.passed, 0)
  const failed = outcomes.reduce((sum, { count }) => sum + count.failed, 0)
  say(`  everything took ${secondsSince(started)}\n`)
  for (const line of tellFailures(failures)) say(line)
  say(`${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : 0
}

/**
 * Runs a tool of the project with its output shown.
 * @param {string} script
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 * @returns {Promise<boolean>} whether it succeeded
 */
function runTool(script, args, env = {}) {
  const child = spawn(findNode(), [resolve('node_modules', script), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  })
  running = child
  return new Promise((done) => {
    child.once('error', () => done(false))
    child.once('close', (code) => done(code === 0))
  })
}
