import { randomUUID } from 'node:crypto'
import { publish, subscribe } from './bus'
import { env } from './env'
import { AppError } from './errors'
import { remember } from './remember'
import type { Frame } from './replies/frame'
import { type Adopt, ReplyNode } from './replies/node'
import { postgresLog } from './replies/postgres-log'
import { usualTimings } from './replies/timings'
import type { Opening, ReplySource } from './replies/write'

export { type Frame, textOf } from './replies/frame'
export type { Abandoned, Upstream } from './replies/log'
export type { Adopt } from './replies/node'
export type { Opening, ReplyEnd, ReplySink, ReplySource } from './replies/write'

/** This server among those that write replies. */
const node = () =>
  remember(
    'replies',
    () =>
      new ReplyNode({
        nodeId: randomUUID(),
        log: postgresLog,
        bus: { publish, subscribe },
        timings: { ...usualTimings, drainMs: env().DRAIN_TIMEOUT },
      }),
  )

/** The owner of a new reply's row: this node, for so many milliseconds. Throws unavailable while the server is stopping. */
export function newLease(): { nodeId: string; leaseMs: number } {
  const { isClosing, nodeId } = node()
  if (isClosing) {
    throw new AppError('unavailable', 'The server is restarting. Try again in a moment.', {
      retryAfterSeconds: 5,
    })
  }
  return { nodeId, leaseMs: usualTimings.leaseMs }
}

/** Starts to write a reply whose row exists. It goes on when every reader has left; only its own end or a stop ends it. */
export function openReply(replyId: string, opening: Opening, source: ReplySource): void {
  node().open(replyId, opening, source)
}

/**
 * Replays the frames with `seq > after`, then tails until the terminal one; frames that are there together come
 * together. Throws not_found, conflict.
 */
export function followReply(replyId: string, after: number, signal: AbortSignal): AsyncIterable<Frame[]> {
  return node().follow(replyId, after, signal)
}

/** Tells a reply to stop; its upstream call is closed and what was said is kept. No-op if it has ended. */
export function stopReply(replyId: string): Promise<void> {
  return node().stop(replyId)
}

/**
 * At start: goes on with what a crash left behind, as `adopt` says, and keeps looking after leases. `isAlone`: no other
 * server uses the database, so nothing that runs in it is anybody's.
 */
export function recoverReplies(adopt: Adopt, isAlone = false): Promise<void> {
  return node().start(adopt, isAlone)
}

/**
 * Takes no new replies from now on, and waits for running ones, for as long as DRAIN_TIMEOUT; the rest is left to
 * another server, or marked as interrupted.
 */
export function drainReplies(): Promise<void> {
  return node().drain()
}

/** At the end: drains what came in meanwhile, and keeps nothing going. */
export function stopReplies(): Promise<void> {
  return node().close()
}
