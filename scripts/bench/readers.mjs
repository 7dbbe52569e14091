// What the readers of a measurement (load.mjs) are told to read, and what that cost whoever served them.
import { cpuOf, nextMessage } from './processes.mjs'

/**
 * @typedef {import('node:child_process').ChildProcess} ChildProcess
 * @typedef {{ firstMs: number, tookMs: number, tokens: number, pieces: number, isWhole: boolean }} Reading
 * @typedef {{ url: string, pid: number }} Server
 * @typedef {{ upstream: number, asked: ChildProcess, load: ChildProcess }} Bench  the upstream's port and process, and the readers'
 */

/** @type {(load: ChildProcess, task: object) => Promise<any[]>} */
export async function read(load, task) {
  load.send(task)
  const { readings, failure } = await nextMessage(load)
  if (failure) throw new Error(failure)
  return readings
}

/** What the upstream is to answer. @type {(tokens: number, perSecond: number, thinkMs: number) => string} */
export const wish = (tokens, perSecond, thinkMs) =>
  `tokens=${tokens} perSecond=${perSecond} thinkMs=${thinkMs}`

/**
 * Processor time per token, in microseconds, of a process and its children while it streams to many readers.
 * @type {(pid: number, expected: number, stream: () => Promise<Reading[]>) => Promise<number>}
 */
export async function costPerToken(pid, expected, stream) {
  const before = cpuOf(pid)
  const readings = await stream()
  const tokens = readings.reduce((sum, reading) => sum + reading.tokens, 0)
  if (tokens !== expected) throw new Error(`${tokens} tokens came instead of ${expected}`)
  if (readings.some(({ isWhole }) => !isWhole)) throw new Error('a stream was not whole')
  return (cpuOf(pid) - before) / tokens
}
