import { setTimeout as sleep } from 'node:timers/promises'
import { type AppError, asAppError } from '../errors'
import { log as serverLog } from '../log'
import { type Bus, tellFrames } from './bus'
import type { ReplyLog } from './log'
import type { RunningReply } from './running'
import type { Timings } from './timings'

/** A reply with this many characters to commit does not wait for the tick. */
const eagerLength = 4096
/** One commit holds about this many characters; the rest goes into the next. */
const maxCommitLength = 4 * 1024 * 1024

/**
 * Group commit: one insert per tick holds the new frames of all replies of this node.
 * Followers are told after the commit, never before. While the database is away nothing is shown and nothing is lost;
 * replies that have waited too long are given up.
 */
export class Committer {
  private readonly dirty = new Set<RunningReply>()
  private readonly settled = new Map<RunningReply, (() => void)[]>()
  private isFlushing = false
  private isScheduled = false
  private lastFlushAt = Number.NEGATIVE_INFINITY
  private readonly log: ReplyLog
  private readonly bus: Bus
  private readonly timings: Timings

  constructor(log: ReplyLog, bus: Bus, timings: Timings) {
    this.log = log
    this.bus = bus
    this.timings = timings
  }

  /** The reply has frames that wait. */
  add(reply: RunningReply): void {
    this.dirty.add(reply)
    this.schedule(reply.waitingLength >= eagerLength)
  }

  private schedule(isEager: boolean): void {
    if (this.isFlushing || this.isScheduled) return
    this.isScheduled = true
    const dueMs = this.lastFlushAt + this.timings.tickMs - performance.now()
    const flush = () => void this.flush()
    if (isEager || dueMs <= 0) setImmediate(flush)
    else setTimeout(flush, dueMs)
  }

  /** Waits until all frames of this reply are committed or the reply is given up. */
  async settle(reply: RunningReply): Promise<void> {
    if (reply.isSettled) return
    await new Promise<void>((resolve) => {
      this.settled.set(reply, [...(this.settled.get(reply) ?? []), resolve])
      this.add(reply)
    })
  }

  private async flush(): Promise<void> {
    this.isScheduled = false
    this.isFlushing = true
    // The tick is counted from the beginning: a slow disk makes larger groups, not longer waits.
    this.lastFlushAt = performance.now()
    const replies = this.takeGroup()
    await this.commit(replies)
    this.isFlushing = false
    for (const reply of replies) this.afterCommit(reply)
    if (this.dirty.size > 0) this.schedule(false)
  }

  private takeGroup(): RunningReply[] {
    const group: RunningReply[] = []
    let length = 0
    for (const reply of this.dirty) {
      if (length > maxCommitLength) break
      length += reply.waitingLength
      this.dirty.delete(reply)
      group.push(reply)
    }
    return group
  }

  private async commit(replies: RunningReply[]): Promise<void> {
    const giveUpAt = performance.now() + this.timings.patienceMs
    for (;;) {
      const failure = await this.tryCommit(replies)
      if (!failure) return
      // What no other try will mend may be one reply's fault alone.
      const isHopeless = failure.code === 'internal'
      if (isHopeless && replies.length > 1) return this.commitApart(replies)
      if (isHopeless || performance.now() > giveUpAt) return this.giveUp(replies, failure)
      await sleep(this.timings.retryMs)
    }
  }

  private async tryCommit(replies: RunningReply[]): Promise<AppError | null> {
    try {
      const batches = replies.map((reply) => ({ ...reply.owner, frames: reply.takeForCommit() }))
      const lost = await this.log.append(batches)
      for (const reply of replies) {
        if (lost.includes(reply.owner.replyId)) this.lose(reply)
        else tellFrames(this.bus, reply.owner.replyId, reply.markCommitted())
      }
      return null
    } catch (error) {
      return asAppError(error)
    }
  }

  private lose(reply: RunningReply): void {
    reply.end('lost')
    reply.discard()
  }

  private async commitApart(replies: RunningReply[]): Promise<void> {
    for (const reply of replies) await this.commit([reply])
  }

  private giveUp(replies: RunningReply[], failure: AppError): void {
    serverLog().error(
      { err: failure, replies: replies.length },
      'replies were given up, they could not be stored',
    )
    for (const reply of replies) {
      reply.end(failure)
      reply.discard()
    }
  }

  private afterCommit(reply: RunningReply): void {
    if (!reply.isSettled) {
      this.dirty.add(reply)
      return
    }
    for (const resolve of this.settled.get(reply) ?? []) resolve()
    this.settled.delete(reply)
  }
}
