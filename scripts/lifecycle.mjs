// How the server ends: nobody cut off in mid-answer, the domain first, the database last.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const DRAIN_MS = 30_000
/** So long for streams of events: what they tell has ended, and readers of what goes on elsewhere come back by themselves. */
const STREAMS_MS = 1000
const HOOK_MS = 40_000
const POLL_MS = 50
const PARENT_POLL_MS = 1000
// Ctrl-C reaches this process from the terminal and again from npm: the second within this time is the same one.
const SAME_SIGNAL_MS = 1000

/**
 * Calls `stop` once, at the first SIGTERM or SIGINT, or when the returned function is called; then ends the process
 * with 0. A second signal ends it at once.
 * @param {(reason: string) => Promise<void>} stop
 */
export function onStop(stop) {
  let stoppingSince = 0
  /** @param {string} reason */
  const begin = (reason) => {
    if (stoppingSince > 0) return
    stoppingSince = performance.now()
    stop(reason).then(
      () => process.exit(0),
      (error) => {
        console.error(error)
        process.exit(1)
      },
    )
  }
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT']))
    process.on(signal, () => {
      if (stoppingSince > 0 && performance.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1)
      begin(signal)
    })
  return begin
}

/**
 * Takes no more requests and waits for those under way; for streams that can be followed further elsewhere, only as long
 * as their last words need.
 * @param {import('node:http').Server} server
 */
export async function drainRequests(server) {
  server.close()
  server.closeIdleConnections()
  const deadline = performance.now() + DRAIN_MS
  while (countAnswers() > 0 && performance.now() < deadline) await sleep(POLL_MS)
  const lastWords = Math.min(deadline, performance.now() + STREAMS_MS)
  while (open.size > 0 && performance.now() < lastWords) await sleep(POLL_MS)
}

/** @type {Set<import('node:http').ServerResponse>} */
const open = new Set()

/**
 * Counts an answer as under way until it is sent or its client is gone.
 * @param {import('node:http').ServerResponse} response
 */
export function followAnswer(response) {
  open.add(response)
  response.once('close', () => open.delete(response))
}

function countAnswers() {
  return [...open].filter((response) => !canBeResumed(response)).length
}

/**
 * Streams of events can, but for those that OpenAI's clients are told by a model server.
 * @param {import('node:http').ServerResponse} response
 */
function canBeResumed(response) {
  const isStream = String(response.getHeader('content-type')).startsWith('text/event-stream')
  return isStream && !/^\/(api\/)?v1\//.test(response.req.url ?? '')
}

/** Lets the application bring what it has begun to an end while everybody is still served; it knows itself for how long. */
export async function drainWork() {
  await runHook('drain')
}

/** Ends the application, its database last. */
export async function shutDown() {
  await Promise.race([runHook('stop'), sleep(HOOK_MS, undefined, { ref: false })])
}

/** @param {'drain' | 'stop'} name of what lib/boot.ts has registered, if it came so far */
async function runHook(name) {
  try {
    await Reflect.get(globalThis, '__alChatShutdown')?.[name]()
  } catch (error) {
    console.error(error)
  }
}

/**
 * Under npm, calls `orphaned` when npm or the shell that it started is gone: a killed npm does not tell its child.
 * @param {() => void} orphaned
 */
export function watchParent(orphaned) {
  if (!process.env.npm_lifecycle_event) return
  const parent = process.ppid
  const grandparent = parentOf(parent)
  const timer = setInterval(() => {
    if (process.ppid === parent && parentOf(parent) === grandparent) return
    clearInterval(timer)
    orphaned()
  }, PARENT_POLL_MS).unref()
}

/**
 * @param {number} pid
 * @returns {string | undefined} undefined where the system does not tell
 */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
  } catch {
    return undefined
  }
}
