import { publish } from './bus'
import { AppError } from './errors'
import { log } from './log'
import { remember } from './remember'
import { Committer } from './replies/committer'
import { followFrames } from './replies/follow'
import type { Frame } from './replies/frame'
import { interruptAbandoned, keepLeases, leaseMs, nodeId } from './replies/lease'
import { RunningReply } from './replies/running'
import { type Opening, type ReplySource, stopTopic, writeReply } from './replies/write'

export type { Frame } from './replies/frame'
export type { ReplyEnd, ReplySink, ReplySource } from './replies/write'

/** How long a stopping server waits for running replies to end by themselves. */
const drainMs = 30_000

type Local = { reply: RunningReply; finished: Promise<void> }
type State = {
  running: Map<string, Local>
  committer: Committer
  stopLeases: () => Promise<void>
  isClosing: boolean
}
const state = () =>
  remember<State>('replies', () => ({
    running: new Map(),
    committer: new Committer(),
    stopLeases: async () => {},
    isClosing: false,
  }))

/** The owner of a new reply's row: this node, under a lease. Throws unavailable while the server is stopping. */
export function newLease(): { nodeId: string; leaseExpiresAt: Date } {
  if (state().isClosing) {
    throw new AppError('unavailable', 'The server is restarting. Try again in a moment.', {
      retryAfterSeconds: 5,
    })
  }
  return { nodeId: nodeId(), leaseExpiresAt: new Date(Date.now() + leaseMs) }
}

/** Starts to write a reply whose row exists. It goes on when every reader has left; only its own end or a stop ends it. */
export function openReply(opening: Opening, source: ReplySource): void {
  const { replyId } = opening
  const reply = new RunningReply(replyId, 1)
  const finished = writeReply(reply, state().committer, opening, source)
    .catch((error) =>
      log().error({ err: error, replyId }, 'a reply could not be ended; its lease will run out'),
    )
    .finally(() => state().running.delete(replyId))
  state().running.set(replyId, { reply, finished })
}

/** Replays the frames with `seq > after`, then tails until the terminal one. Throws not_found, conflict. */
export function followReply(replyId: string, after: number, signal: AbortSignal): AsyncIterable<Frame> {
  return followFrames(replyId, after, signal)
}

/** Tells a reply to stop; its upstream call is closed and what was said is kept. No-op if it has ended. */
export function stopReply(replyId: string): void {
  publish(stopTopic(replyId), null)
}

/** At start: ends what a crash left behind, and keeps looking after leases. */
export async function recoverReplies(): Promise<void> {
  await interruptAbandoned([])
  state().stopLeases = keepLeases({
    ids: () => [...state().running.keys()],
    // Deleted, or taken over: nobody waits for it here.
    lose: (id) => state().running.get(id)?.reply.abort.abort('lost'),
  })
}

/** At the end: waits up to 30 s for running replies, then marks the rest as interrupted. */
export async function stopReplies(): Promise<void> {
  state().isClosing = true
  const running = () => [...state().running.values()]
  await Promise.race([
    Promise.all(running().map(({ finished }) => finished)),
    new Promise((resolve) => setTimeout(resolve, drainMs).unref()),
  ])
  for (const { reply } of running()) reply.abort.abort('closing')
  await Promise.all(running().map(({ finished }) => finished))
  await state().stopLeases()
}
