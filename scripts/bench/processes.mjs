// The processes of a measurement: started here, ended here, their processor time read from the system.
import { execFileSync, fork } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const CLOCK_TICKS_PER_SECOND = 100

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/**
 * Starts one of the scripts beside this one and waits for its first word.
 * @param {string} name
 * @param {string[]} args
 * @returns {Promise<{ child: ChildProcess, first: any }>}
 */
export async function start(name, args = []) {
  const child = fork(join(import.meta.dirname, name), args)
  const first = await nextMessage(child)
  return { child, first }
}

/**
 * @param {ChildProcess} child
 * @returns {Promise<any>}
 */
export function nextMessage(child) {
  return new Promise((resolve, reject) => {
    /** @param {number | null} code */
    const fail = (code) => reject(new Error(`A process of the measurement ended with ${code}.`))
    child.once('exit', fail)
    child.once('message', (message) => {
      child.off('exit', fail)
      resolve(message)
    })
  })
}

/**
 * A process with all that it has started.
 * @param {number} pid
 * @returns {string[]}
 */
function familyOf(pid) {
  const all = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  const family = new Set([String(pid)])
  for (let size = 0; size < family.size; ) {
    size = family.size
    for (const [child = '', parent = ''] of all) if (family.has(parent)) family.add(child)
  }
  return [...family]
}

/**
 * Processor time of a process and all that it has started, in microseconds, ended children included.
 * @param {number} pid
 */
export function cpuOf(pid) {
  let ticks = 0
  for (const member of familyOf(pid)) {
    const file = `/proc/${member}/stat`
    if (!existsSync(file)) continue
    const stat = readFileSync(file, 'utf8')
    // After the name in brackets: state, parent, … and, as fields 14 to 17, its own time and its dead children's.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    for (const field of [11, 12, 13, 14]) ticks += Number(fields[field])
  }
  return (ticks * 1_000_000) / CLOCK_TICKS_PER_SECOND
}

/**
 * Resident memory of a process and all that it has started, shared pages counted once, in megabytes.
 * @param {number} pid
 */
export function memoryOf(pid) {
  let kilobytes = 0
  for (const member of familyOf(pid)) {
    const file = `/proc/${member}/smaps_rollup`
    if (existsSync(file)) kilobytes += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0)
  }
  return kilobytes / 1024
}
