import { setTimeout as sleep } from 'node:timers/promises'
import { publish } from '../bus'
import { asAppError } from '../errors'
import { log } from '../log'
import type { RunningReply } from './running'
import { insertFrames } from './store'

const tickMs = 25
const eagerLength = 4096
const patienceMs = 30_000
const retryMs = 200

/** The bus topic on which a reply's committed frames are told. */
export const frameTopic = (replyId: string) => `reply:${replyId}`

/**
 * Group commit: one insert per tick holds the new frames of all replies of this process.
 * Followers are told after the commit, never before. While the database is away nothing is shown and nothing is lost;
 * replies that have waited too long are given up.
 */
export class Committer {
  private readonly dirty = new Set<RunningReply>()
  private readonly settled = new Map<RunningReply, (() => void)[]>()
  private isFlushing = false
  private isScheduled = false
  private lastFlushAt = 0

  /** The reply has frames that wait. */
  add(reply: RunningReply): void {
    this.dirty.add(reply)
    this.schedule(reply.waitingLength >= eagerLength)
  }

  private schedule(isEager: boolean): void {
    if (this.isFlushing || this.isScheduled) return
    this.isScheduled = true
    const dueMs = this.lastFlushAt + tickMs - performance.now()
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
    const replies = [...this.dirty]
    this.dirty.clear()
    await this.commit(replies)
    this.isFlushing = false
    this.lastFlushAt = performance.now()
    for (const reply of replies) this.afterCommit(reply)
    if (this.dirty.size > 0) this.schedule(false)
  }

  private async commit(replies: RunningReply[]): Promise<void> {
    const giveUpAt = performance.now() + patienceMs
    for (;;) {
      const batches = replies.map((reply) => ({
        replyId: reply.replyId,
        epoch: reply.epoch,
        frames: reply.takeForCommit(),
      }))
      try {
        const lost = new Set(await insertFrames(batches))
        for (const reply of replies) this.tell(reply, lost)
        return
      } catch (error) {
        if (performance.now() > giveUpAt) return this.giveUp(replies, error)
        await sleep(retryMs)
      }
    }
  }

  private tell(reply: RunningReply, lost: Set<string>): void {
    const frames = reply.markCommitted()
    if (lost.has(reply.replyId)) reply.abort.abort('lost')
    else publish(frameTopic(reply.replyId), frames)
  }

  private giveUp(replies: RunningReply[], error: unknown): void {
    log().error(
      { err: error, replies: replies.length },
      'replies were given up, the database took nothing for too long',
    )
    for (const reply of replies) {
      reply.discard()
      reply.abort.abort(asAppError(error))
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
