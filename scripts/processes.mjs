// Which commands of this checkout are at work: notes in .cache/, each with the identity of the process that wrote it.
import { spawnSync } from 'node:child_process'
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { say } from './report.mjs'

/**
 * @typedef {{ pid: number, started: string }} Identity a process, told from a later one with the same number
 * @typedef {Identity & { distDir: string, address: string }} ServerNote
 */

const SERVERS = join('.cache', 'servers')
const SETUP_LOCK = join('.cache', 'setup.lock')
const POLL_MS = 200

/**
 * When a process started, in the system's own terms; empty when it does not run.
 * @param {number} pid
 */
function startOf(pid) {
  try {
    if (process.platform !== 'linux') return askPs(pid)
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

/** @param {number} pid */
function askPs(pid) {
  const listed = spawnSync('ps', ['-p', String(pid), '-o', 'lstart='], { encoding: 'utf8' })
  return (listed.stdout ?? '').trim()
}

/** @returns {Identity} */
const self = () => ({ pid: process.pid, started: startOf(process.pid) })

/**
 * @template {Identity} T
 * @param {string} file
 * @returns {T | undefined} what a process noted, if that process still runs
 */
function readLiving(file) {
  try {
    const note = JSON.parse(readFileSync(file, 'utf8'))
    if (note.started && startOf(note.pid) === note.started) return note
  } catch {
    // Gone, or cut off while it was written: nobody's.
  }
  return undefined
}

/**
 * Notes that this process serves a build, until it ends.
 * @param {string} distDir
 * @param {string} address
 */
export function noteServer(distDir, address) {
  const file = join(SERVERS, `${process.pid}.json`)
  try {
    mkdirSync(SERVERS, { recursive: true })
    writeFileSync(file, JSON.stringify({ ...self(), distDir, address }))
    process.once('exit', () => rmSync(file, { force: true }))
  } catch {
    // A checkout that this user cannot write cannot be rebuilt under the server either.
  }
}

/** The servers that run from this checkout. @returns {ServerNote[]} */
export function listServers() {
  if (!existsSync(SERVERS)) return []
  return readdirSync(SERVERS).flatMap((name) => {
    const note = /** @type {ServerNote | undefined} */ (readLiving(join(SERVERS, name)))
    if (!note) rmSync(join(SERVERS, name), { force: true })
    return note ?? []
  })
}

/**
 * Runs `work` while no other set-up does anything in this checkout.
 * @template T
 * @param {() => Promise<T>} work
 */
export async function aloneInCheckout(work) {
  mkdirSync('.cache', { recursive: true })
  const mine = `${SETUP_LOCK}.${process.pid}`
  writeFileSync(mine, JSON.stringify(self()))
  try {
    await takeLock(mine)
    return await work()
  } finally {
    rmSync(mine, { force: true })
    if (readLiving(SETUP_LOCK)?.pid === process.pid) rmSync(SETUP_LOCK, { force: true })
  }
}

/** @param {string} mine */
async function takeLock(mine) {
  for (let told = false; ; await sleep(POLL_MS)) {
    try {
      linkSync(mine, SETUP_LOCK)
      return
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
    }
    const other = readLiving(SETUP_LOCK)
    if (!other) rmSync(SETUP_LOCK, { force: true })
    else if (!told) say(`  Waiting for another set-up in this folder (process ${other.pid}) …`)
    told ||= other !== undefined
  }
}
