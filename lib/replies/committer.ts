import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'
import { type AppError, asAppError } from '../errors'
import { log as serverLog } from '../log'
import { countCommit } from '../metrics'
import { type Bus, tellFrames } from './bus'
import type { ReplyLog } from './log'
import type { RunningReply } from './running'
import type { Timings } from './timings'

/** A reply with this many characters to commit does not wait for the tick. */
const eagerLength = 4096
/** One commit holds about this many characters; the rest goes into the next. */
const maxCommitLength = 4 * 1024 * 1024

/** Up to this many replies of a node commit at every tick; each such number more, and they take turns. */
const repliesPerTurn = 50
const maxTurns = 4

/**
 * Group commit: one insert per tick holds the new frames of the replies of this node. Where many are written at once,
 * each joins every second to fourth tick, so that its frames, and the writes to its followers, are fewer and larger.
 * Followers are told after the commit, never before. While the database is away nothing is shown and nothing is lost;
 * replies that have waited too long are given up.
 */
export class Committer {
  private readonly dirty = new Set<RunningReply>()
  private readonly settled = new Map<RunningReply, (() => void)[]>()
  /** Their sources gather nothing until they may commit again. */
  private readonly resting = new Set<RunningReply>()
  private isFlushing = false
  private timer: NodeJS.Timeout | null = null
  private isSoon = false
  private lastFlushAt = Number.NEGATIVE_INFINITY
  private readonly log: ReplyLog
  private readonly bus: Bus
  private readonly timings: Timings
  private readonly countReplies: () => number

  constructor(log: ReplyLog, bus: Bus, timings: Timings, countReplies: () => number) {
    this.log = log
    this.bus = bus
    this.timings = timings
    this.countReplies = countReplies
  }

  /** The reply has frames that wait. */
  add(reply: RunningReply): void {
    this.dirty.add(reply)
    this.schedule(this.isUrgent(reply))
  }

  /** Half a tick early is in time: timers are never quite on theirs. */
  private isDue(reply: RunningReply, now: number): boolean {
    return reply.turnAt <= now + this.timings.tickMs / 2
  }

  /** First words, long ones and last ones do not wait. */
  private isUrgent(reply: RunningReply): boolean {
    return !reply.hasCommitted || reply.waitingLength >= eagerLength || this.settled.has(reply)
  }

  private schedule(isUrgent: boolean): void {
    if (this.isFlushing || this.isSoon) return
    const dueMs = this.lastFlushAt + this.timings.tickMs - performance.now()
    if (isUrgent || dueMs <= 0) {
      this.isSoon = true
      setImmediate(() => void this.flush())
    } else this.timer ??= setTimeout(() => void this.flush(), dueMs)
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
    if (this.timer) clearTimeout(this.timer)
    Object.assign(this, { timer: null, isSoon: false })
    if (this.isFlushing) return
    this.isFlushing = true
    // The tick is counted from the beginning: a slow disk makes larger groups, not longer waits.
    const now = performance.now()
    this.lastFlushAt = now
    if (this.wake(now)) await immediate()
    const replies = this.takeGroup(now)
    if (replies.length > 0) await this.commit(replies)
    this.isFlushing = false
    for (const reply of replies) this.afterCommit(reply)
    if (this.dirty.size > 0) this.schedule([...this.dirty].some((reply) => this.isUrgent(reply)))
    else if (this.resting.size > 0) this.schedule(false)
  }

  /** Lets the sources whose turn it is hand over what they have. Returns whether there were any. */
  private wake(now: number): boolean {
    let isAny = false
    for (const reply of this.resting) {
      if (!this.isDue(reply, now)) continue
      this.resting.delete(reply)
      reply.pace.begin()
      isAny = true
    }
    return isAny
  }

  /** A source that keeps the pace gathers for one frame at a time. */
  private rest(reply: RunningReply): void {
    if (reply.pace.end()) this.resting.add(reply)
  }

  private takeGroup(now: number): RunningReply[] {
    const turns = Math.min(maxTurns, Math.ceil(this.countReplies() / repliesPerTurn))
    const group: RunningReply[] = []
    let length = 0
    for (const reply of this.dirty) {
      if (length > maxCommitLength) break
      if (!this.isDue(reply, now) && !this.isUrgent(reply)) continue
      reply.turnAt = now + turns * this.timings.tickMs
      length += reply.waitingLength
      this.dirty.delete(reply)
      this.rest(reply)
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
      countCommit(batches.reduce((sum, { frames }) => sum + frames.length, 0))
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
