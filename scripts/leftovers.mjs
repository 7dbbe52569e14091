// Processes that a test run forgot. They are known by the folder of the run, in their environment or as their own.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const PATIENCE_MS = 5000
const POLL_MS = 100

/**
 * The processes of the run that are still there after a moment; they are ended. Knows only Linux's.
 * @param {string} runDir
 */
export async function listRemaining(runDir) {
  if (process.platform !== 'linux') return []
  const deadline = performance.now() + PATIENCE_MS
  while (find(runDir).length > 0 && performance.now() < deadline) await sleep(POLL_MS)
  const remaining = find(runDir)
  for (const { pid } of remaining) end(pid)
  return remaining
}

/** @param {string} runDir */
function find(runDir) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => belongsTo(runDir, `/proc/${name}`))
    .map((name) => ({
      pid: Number(name),
      command: read(`/proc/${name}/cmdline`).replaceAll('\0', ' ').slice(0, 120),
    }))
}

/**
 * @param {string} runDir
 * @param {string} folder
 */
function belongsTo(runDir, folder) {
  return (
    read(`${folder}/environ`).includes(`AL_TEST_RUN=${runDir}\0`) ||
    readLink(`${folder}/cwd`).startsWith(runDir)
  )
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // Another user's, or just ended.
  }
}

/** @param {string} file */
function readLink(file) {
  try {
    return readlinkSync(file)
  } catch {
    return ''
  }
}

/** @param {number} pid */
function end(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Ended by itself at last.
  }
}
