// What must be done before a command can run, and only if it is not done yet: packages, database client, build.
// `npm start`, `npm run dev` and `npm test` run it first. Plain JavaScript for Node 20.19, with no package needed.
import { existsSync, statfsSync } from 'node:fs'
import { loadEnvironment, readAddress, requireFreeAddress } from './environment.mjs'
import { build, databaseClient, isFresh, isInstalled, packages, remake } from './freshness.mjs'
import { aloneInCheckout, listServers } from './processes.mjs'
import { Problem, runCommand, say, secondsSince, step } from './report.mjs'
import { findNode, runNpm, runTool } from './tools.mjs'

// Packages, build and a young database.
const NEEDED_BYTES = 2e9

/** @typedef {'start' | 'dev' | 'test' | 'build'} Purpose */

runCommand(async () => {
  const started = performance.now()
  const purpose = /** @type {Purpose} */ (process.argv[2] ?? 'start')
  requireNode()
  loadEnvironment()
  if (purpose === 'start' || purpose === 'dev') await requireFreeAddress(readAddress())
  const distDir = process.env.AL_DIST_DIR ?? '.next'
  if (isPrepared(purpose, distDir)) return
  if (await aloneInCheckout(() => prepare(purpose, distDir)))
    say(`  Ready to run after ${secondsSince(started)}`)
})

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19))
    throw new Problem(`Node ${process.version} is too old: AL-Chat needs 20.19 or newer.`)
}

/**
 * @param {Purpose} purpose
 * @param {string} distDir
 */
function isPrepared(purpose, distDir) {
  return isFresh(packages) && isFresh(databaseClient) && (!wantsBuild(purpose) || isFresh(build(distDir)))
}

/** @param {Purpose} purpose */
function wantsBuild(purpose) {
  return purpose === 'start' || purpose === 'build'
}

/**
 * @param {Purpose} purpose
 * @param {string} distDir
 * @returns {Promise<boolean>} whether there was anything to do
 */
async function prepare(purpose, distDir) {
  let worked = false
  if (!isFresh(packages) && isInstalled()) await remake(packages, async () => {})
  if (!isFresh(packages)) {
    requireNoServer(() => true)
    requireSpace()
    await remake(packages, () => step('Installing packages', installPackages))
    worked = true
  }
  findNode()
  if (!isFresh(databaseClient)) {
    await remake(databaseClient, () => step('Generating the database client', generateClient))
    worked = true
  }
  if (wantsBuild(purpose) && !isFresh(build(distDir))) {
    requireNoServer((server) => server.distDir === distDir)
    await remake(build(distDir), () => step('Building the pages', () => buildPages(distDir)))
    worked = true
  }
  return worked
}

/**
 * What a running server reads is not replaced under it.
 * @param {(server: import('./processes.mjs').ServerNote) => boolean} reads
 */
function requireNoServer(reads) {
  const server = listServers().find(reads)
  if (!server) return
  throw new Problem(
    `The code changed, and a server is running it (process ${server.pid}, ${server.address}): stop that one first.`,
  )
}

// npm keeps trying for minutes when the disk is full.
function requireSpace() {
  if (existsSync('node_modules')) return
  const { bavail, bsize } = statfsSync('.')
  if (bavail * bsize < NEEDED_BYTES)
    throw new Problem(
      `The disk that holds ${process.cwd()} has ${gigabytes(bavail * bsize)} GB left, and AL-Chat needs ${gigabytes(NEEDED_BYTES)}.`,
    )
}

/** @param {number} bytes */
function gigabytes(bytes) {
  return (bytes / 1e9).toFixed(1)
}

// Not `npm ci`: it refuses a lock file in which a registry without some platform's package left a gap. With --no-save,
// npm installs what the lock file says and leaves that as it is. No package needs its install script here, and npm may
// hold those back anyway.
function installPackages() {
  return runNpm([
    'install',
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--include=dev',
    '--include=optional',
  ])
}

// Prisma's own engine is not used, but its command line would download it.
function generateClient() {
  const stub = ['/bin/true', '/usr/bin/true'].find((path) => existsSync(path)) ?? process.execPath
  return runTool('prisma/build/index.js', ['generate'], {
    PRISMA_SCHEMA_ENGINE_BINARY: stub,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
  })
}

/** @param {string} distDir */
function buildPages(distDir) {
  const env = { NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', AL_DIST_DIR: distDir }
  return runTool('next/dist/bin/next', ['build'], env)
}
