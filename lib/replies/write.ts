import { setTimeout as sleep } from 'node:timers/promises'
import type { EarlyFinish, ReplyError, TokenUsage } from '../contracts/conversations'
import { type AppError, asAppError } from '../errors'
import { log as serverLog } from '../log'
import { type Bus, hearStop, tellFrames } from './bus'
import type { Committer } from './committer'
import type { DeltaType, Ending, TerminalType } from './frame'
import { type Lease, type ReplyLog, readWhole, type Upstream } from './log'
import type { EndReason, RunningReply } from './running'
import type { Timings } from './timings'
import type { Turns } from './turns'

/** What a source tells the log while it writes. */
export type ReplySink = {
  /** `cursor` numbers the last upstream event in the piece, where there are numbers. Waits while the disk is behind. */
  text(piece: string, cursor?: number): Promise<void> | void
  reasoning(piece: string, cursor?: number): Promise<void> | void
  /** When to gather more: what is told within one turn costs one frame. */
  pace: Pick<Turns, 'isTurn' | 'onChange'>
  /** Who answers: kept with the message however the reply ends, and at once for the next writer, which can be awaited. */
  serving(by: Upstream): Promise<void>
  /** From here on somebody else could go on, with what `serving` has told. */
  resumable(): void
  usage(usage: TokenUsage): void
  /** The model ended before it was done. */
  finish(early: EarlyFinish): void
}

/** Writes one reply; stops when the signal fires. Its errors become the reply's; one that resolves to `interrupted` could not go on. */
export type ReplySource = (sink: ReplySink, signal: AbortSignal) => Promise<unknown>

/** What is known of a reply when it has ended. */
export type ReplyEnd = { type: TerminalType; usage: TokenUsage | null; outputLength: number }

export type Opening = {
  /** The error in the reader's words. */
  explain: (error: AppError) => ReplyError
  /** Runs once before the terminal frame is written, whatever the end; for the ledger. */
  ended: (end: ReplyEnd) => Promise<void>
  /** Runs once the end is on disk, whoever wrote it there. Must not throw. */
  settled?: () => void
}

/** What writing needs of its node. */
export type Desk = { lease: Lease; log: ReplyLog; bus: Bus; timings: Timings; committer: Committer }

/** A reply with its source, and what is known of who answers. */
export type Writing = { reply: RunningReply; opening: Opening; source: ReplySource; by: Upstream | null }

type Known = Pick<Ending, 'usage' | 'provider' | 'model' | 'finish'>
type Outcome = { type: TerminalType; failure: AppError | null }

/** Runs a reply from its first delta to its terminal frame. */
export async function writeReply(desk: Desk, writing: Writing): Promise<void> {
  const { reply, source, by } = writing
  const known: Known = {
    usage: null,
    provider: by?.provider ?? null,
    model: by?.model ?? null,
    finish: null,
  }
  const said = await run(desk, reply, (signal) => source(openSink(desk, reply, known), signal))
  // Whoever goes on with it will be told the whole character.
  if (reply.abort.signal.reason !== 'released') reply.endText()
  await desk.committer.settle(reply)
  const { aborted, reason } = reply.abort.signal
  if (aborted && reason === 'released') return desk.log.release(reply.owner)
  if (aborted && reason === 'lost') return insist(desk.timings, () => settleLost(desk, writing, known))
  await finish(desk, writing, known, judge(reply, said))
}

function openSink({ log, committer, timings }: Desk, reply: RunningReply, known: Known): ReplySink {
  const add = (type: DeltaType) => (piece: string, cursor?: number) => {
    if (reply.add(type, piece, cursor)) committer.add(reply)
    if (reply.isFull) return reply.room()
  }
  // Without it an answer whose words are stored could not be gone on with.
  const note = (by: Upstream) =>
    insist(timings, () => log.noteUpstream(reply.owner, by)).catch((err) => {
      serverLog().warn({ err, ...reply.owner }, 'who answers a reply could not be noted')
    })
  // One after the other: the last word is what counts.
  let noted = Promise.resolve()
  return {
    text: add('text'),
    reasoning: add('reasoning'),
    pace: reply.pace,
    serving: (by) => {
      Object.assign(known, { provider: by.provider, model: by.model })
      noted = noted.then(() => note(by))
      return noted
    },
    resumable: () => {
      reply.isResumable = true
    },
    usage: (usage) => void Object.assign(known, { usage }),
    finish: (finish) => void Object.assign(known, { finish }),
  }
}

async function run(
  { bus }: Desk,
  reply: RunningReply,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<Outcome> {
  const unsubscribe = hearStop(bus, reply.owner.replyId, () => reply.end('stopped'))
  try {
    const said = await work(reply.abort.signal)
    return { type: said === 'interrupted' ? 'interrupted' : 'completed', failure: null }
  } catch (error) {
    return { type: 'failed', failure: asAppError(error) }
  } finally {
    unsubscribe()
  }
}

/** Why a reply was told to end counts for more than what its source made of it. */
function judge(reply: RunningReply, said: Outcome): Outcome {
  if (!reply.abort.signal.aborted) return said
  const reason = reply.abort.signal.reason as EndReason
  if (reason === 'stopped' || reason === 'interrupted') return { type: reason, failure: null }
  return { type: 'failed', failure: asAppError(reason) }
}

/** Taken over, it is its new writer's to count; deleted, it is nobody's, and what it cost is counted here. */
async function settleLost(desk: Desk, writing: Writing, known: Known): Promise<void> {
  const isDeleted = (await desk.log.find(writing.reply.owner.replyId)) === null
  if (isDeleted) await tellEnd(writing, known, 'interrupted')
}

/** Finds out what is on disk of a reply some of whose commits failed, or whose lease ran out. False if it has been lost. */
async function makeCertain({ log, lease }: Desk, reply: RunningReply): Promise<boolean> {
  if (!reply.isUncertain && Date.now() < reply.heldUntil) return true
  const heldUntil = Date.now() + lease.leaseMs
  const owner = await log.reclaim(lease, reply.owner)
  if (!owner) return false
  reply.trust(owner, await readWhole(log, owner.replyId))
  reply.heldUntil = heldUntil
  return true
}

/** Tries again until it works. Throws what went wrong last when it has taken too long. */
async function insist(timings: Timings, act: () => Promise<void>): Promise<void> {
  const giveUpAt = performance.now() + timings.patienceMs
  for (;;) {
    try {
      return await act()
    } catch (fault) {
      if (performance.now() > giveUpAt) throw fault
      await sleep(timings.retryMs)
    }
  }
}

/** A ledger that is away is worth another try, so that throws; one that refuses for good must not hold the reply up. */
async function tellEnd({ reply, opening }: Writing, known: Known, type: TerminalType): Promise<void> {
  const outputLength = reply.parts.reduce((sum, part) => sum + ('text' in part ? part.text.length : 0), 0)
  await opening.ended({ type, usage: known.usage, outputLength }).catch((err) => {
    const { code } = asAppError(err)
    if (code === 'unavailable' || code === 'storage_full') throw err
    serverLog().error({ err, ...reply.owner }, 'the usage of a reply could not be recorded')
  })
}

async function finish(desk: Desk, writing: Writing, known: Known, { type, failure }: Outcome): Promise<void> {
  const { reply, opening } = writing
  if (failure?.code === 'internal')
    serverLog().error({ err: failure.cause ?? failure, ...reply.owner }, 'a reply failed')
  const error = failure && opening.explain(failure)
  const { log, timings, bus } = desk
  let isTold = false
  reply.isEnding = true
  await insist(timings, async () => {
    if (!(await makeCertain(desk, reply))) return settleLost(desk, writing, known)
    if (!isTold) await tellEnd(writing, known, type)
    isTold = true
    const seq = reply.terminalSeq
    const isOurs = await log.finish(reply.owner, seq, { ...known, type, parts: reply.parts, error })
    if (isOurs) tellFrames(bus, reply.owner.replyId, [{ seq, type, text: '' }])
    opening.settled?.()
  })
}
