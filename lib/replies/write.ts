import { setTimeout as sleep } from 'node:timers/promises'
import { publish, subscribe } from '../bus'
import type { EarlyFinish, ReplyError, TokenUsage } from '../contracts/conversations'
import { type AppError, asAppError } from '../errors'
import { log } from '../log'
import { type Committer, frameTopic } from './committer'
import type { DeltaType, Ending, TerminalType } from './frame'
import type { RunningReply } from './running'
import { finishReply } from './store'

/** What a source tells the log while it writes. */
export type ReplySink = {
  text(piece: string): Promise<void>
  reasoning(piece: string): Promise<void>
  /** Who answers; kept with the message however the reply ends. */
  serving(by: { provider: string; model: string }): void
  usage(usage: TokenUsage): void
  /** The model ended before it was done. */
  finish(early: EarlyFinish): void
}

/** Writes one reply; stops when the signal fires. Its errors become the reply's. */
export type ReplySource = (sink: ReplySink, signal: AbortSignal) => Promise<void>

/** What is known of a reply when it has ended. */
export type ReplyEnd = { type: TerminalType; usage: TokenUsage | null; outputLength: number }

export type Opening = {
  replyId: string
  /** The error in the reader's words. */
  explain: (error: AppError) => ReplyError
  /** Runs before the terminal frame is written, whatever the end; for the ledger. */
  ended: (end: ReplyEnd) => Promise<void>
}

const patienceMs = 30_000
const retryMs = 250

/** The bus topic on which a reply is told to stop, on whichever node it runs. */
export const stopTopic = (replyId: string) => `stop:${replyId}`

/** A lost reply was deleted or taken over; what it cost is counted, and nothing else is written. */
type Outcome = { type: TerminalType; failure: AppError | null; isLost: boolean }

/** Runs a reply from its first delta to its terminal frame. */
export async function writeReply(
  reply: RunningReply,
  committer: Committer,
  opening: Opening,
  source: ReplySource,
): Promise<void> {
  const known: Pick<Ending, 'usage' | 'provider' | 'model' | 'finish'> = {
    usage: null,
    provider: null,
    model: null,
    finish: null,
  }
  const add = (type: DeltaType) => async (piece: string) => {
    if (reply.add(type, piece)) committer.add(reply)
    await reply.room()
  }
  const sink: ReplySink = {
    text: add('text'),
    reasoning: add('reasoning'),
    serving: (by) => void Object.assign(known, by),
    usage: (usage) => void Object.assign(known, { usage }),
    finish: (finish) => void Object.assign(known, { finish }),
  }
  const failure = await run(reply, source, sink)
  if (reply.endText()) committer.add(reply)
  await committer.settle(reply)
  const outcome = judge(reply, failure)
  if (outcome.failure?.code === 'internal') {
    log().error({ err: outcome.failure.cause, replyId: reply.replyId }, 'a reply failed')
  }
  const { parts } = reply
  const outputLength = parts.reduce((sum, part) => sum + ('text' in part ? part.text.length : 0), 0)
  await opening.ended({ type: outcome.type, usage: known.usage, outputLength }).catch((error) => {
    log().error({ err: error, replyId: reply.replyId }, 'the usage of a reply could not be recorded')
  })
  if (outcome.isLost) return
  const error = outcome.failure && opening.explain(outcome.failure)
  await finish(reply, { ...known, type: outcome.type, parts, error })
}

async function run(reply: RunningReply, source: ReplySource, sink: ReplySink): Promise<AppError | null> {
  const unsubscribe = subscribe(stopTopic(reply.replyId), () => reply.abort.abort('stopped'))
  try {
    await source(sink, reply.abort.signal)
    return null
  } catch (error) {
    return asAppError(error)
  } finally {
    unsubscribe()
  }
}

function judge(reply: RunningReply, failure: AppError | null): Outcome {
  const { aborted, reason } = reply.abort.signal
  if (!aborted) return { type: failure ? 'failed' : 'completed', failure, isLost: false }
  if (reason === 'lost') return { type: 'interrupted', failure: null, isLost: true }
  if (reason === 'stopped') return { type: 'stopped', failure: null, isLost: false }
  if (reason === 'closing') return { type: 'interrupted', failure: null, isLost: false }
  return { type: 'failed', failure: asAppError(reason), isLost: false }
}

async function finish(reply: RunningReply, ending: Ending): Promise<void> {
  const giveUpAt = performance.now() + patienceMs
  const { replyId, epoch, terminalSeq: seq } = reply
  for (;;) {
    try {
      const isOurs = await finishReply({ replyId, epoch, seq }, ending)
      if (isOurs) publish(frameTopic(replyId), [{ seq, type: ending.type, text: '' }])
      return
    } catch (error) {
      if (performance.now() > giveUpAt) throw error
      await sleep(retryMs)
    }
  }
}
