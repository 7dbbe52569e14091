import { setTimeout as sleep } from 'node:timers/promises'
import { log as serverLog } from '../log'
import { noteRunningReplies } from '../metrics'
import { type Bus, tellStop } from './bus'
import { Committer } from './committer'
import { followFrames } from './follow'
import type { Frame } from './frame'
import { type Abandoned, type ReplyLog, readWhole } from './log'
import { RunningReply } from './running'
import { Tail } from './tail'
import type { Timings } from './timings'
import { type Desk, type Opening, type ReplySource, type Writing, writeReply } from './write'

const takeOverLimit = 100

/** How a reply goes on whose writer is gone; without a source it is interrupted, and keeps what was said. */
type Adoption = { opening: Opening; source: ReplySource | null }

/** Says how an abandoned reply goes on; `said` is what is committed of it. */
export type Adopt = (abandoned: Abandoned, said: Frame[]) => Promise<Adoption>

export type NodePorts = { nodeId: string; log: ReplyLog; bus: Bus; timings: Timings }

/** One server among those that share a log: writes replies under leases, and lets anybody follow any reply. */
export class ReplyNode {
  readonly nodeId: string
  private readonly desk: Desk
  private readonly running = new Map<string, { reply: RunningReply; finished: Promise<void> }>()
  private readonly tails = new Set<Tail>()
  private readonly timers: NodeJS.Timeout[] = []
  private readonly looks = new Set<Promise<void>>()
  private lastSweepAt = performance.now()
  private drainUntil: number | null = null

  constructor({ nodeId, log, bus, timings }: NodePorts) {
    this.nodeId = nodeId
    const lease = { nodeId, leaseMs: timings.leaseMs }
    this.desk = {
      lease,
      log,
      bus,
      timings,
      committer: new Committer(log, bus, timings, () => this.running.size),
    }
  }

  /**
   * Takes over what a crash left behind, and keeps looking after leases and followers from now on. One who is alone
   * need not wait for leases to run out.
   */
  async start(adopt: Adopt, isAlone = false): Promise<void> {
    const { renewEveryMs, lookEveryMs } = this.desk.timings
    if (isAlone) await this.desk.log.expireLeases()
    // Nothing that takes long may hold up this one, or other nodes take what is ours.
    this.repeat(renewEveryMs, () => this.renew())
    await this.takeOver(adopt)
    this.repeat(renewEveryMs, () => this.lookForAbandoned(adopt))
    this.repeat(lookEveryMs, () => this.lookForNews())
  }

  /** Looks again and again, but not before it has done looking. */
  private repeat(everyMs: number, look: () => Promise<void>): void {
    let current: Promise<void> | null = null
    const begin = () => {
      const looking = look()
        .catch((err) => serverLog().warn({ err }, 'replies could not be looked after'))
        .finally(() => {
          this.looks.delete(looking)
          current = null
        })
      this.looks.add(looking)
      current = looking
    }
    this.timers.push(setInterval(() => current ?? begin(), everyMs).unref())
  }

  /** Starts to write a reply whose row exists. Only its own end or a stop ends it. */
  open(replyId: string, opening: Opening, source: ReplySource): void {
    this.write({ reply: new RunningReply({ replyId, epoch: 1 }), opening, source, by: null })
  }

  private write(writing: Writing): void {
    const { reply } = writing
    const { replyId } = reply.owner
    reply.heldUntil = Date.now() + this.desk.lease.leaseMs
    const finished = writeReply(this.desk, writing)
      .catch((err) =>
        serverLog().error({ err, replyId }, 'a reply could not be ended; its lease will run out'),
      )
      .finally(() => {
        // A writer that came too late may not end the care for the one that is at work.
        if (this.running.get(replyId)?.reply === reply) this.running.delete(replyId)
        noteRunningReplies(this.running.size)
      })
    this.running.set(replyId, { reply, finished })
    noteRunningReplies(this.running.size)
  }

  /** See `followFrames`. */
  async *follow(replyId: string, after: number, signal: AbortSignal): AsyncGenerator<Frame[]> {
    const tail = new Tail(this.desk.bus, replyId, signal)
    this.tails.add(tail)
    try {
      const nearby = (last: number) => this.running.get(replyId)?.reply.committedAfter(last) ?? null
      yield* followFrames({ log: this.desk.log, nearby }, tail, after, signal)
    } finally {
      this.tails.delete(tail)
      tail.close()
    }
  }

  /**
   * Tells the writer to stop, on whichever node it is. Word of it is left for one that cannot hear, and for the next one:
   * a writer may have lost its reply without knowing, or crash before it has ended it.
   */
  async stop(replyId: string): Promise<void> {
    this.running.get(replyId)?.reply.end('stopped')
    tellStop(this.desk.bus, replyId)
    await this.desk.log.requestStop(replyId)
  }

  /** No new reply may be opened any more. */
  get isClosing(): boolean {
    return this.drainUntil !== null
  }

  /**
   * Waits for running replies; those that last are left to another node where it can go on, else interrupted. Called
   * again, it sees to those that were on their way in, within the time of the first call.
   */
  async drain(): Promise<void> {
    this.drainUntil ??= performance.now() + this.desk.timings.drainMs
    await this.untilAllEnded(Math.max(0, this.drainUntil - performance.now()))
    for (const { reply } of this.running.values()) reply.end(reply.isResumable ? 'released' : 'interrupted')
    // What cannot be written down by then is found by whoever looks after leases next.
    await this.untilAllEnded(this.desk.timings.leaseMs)
  }

  private async untilAllEnded(withinMs: number): Promise<void> {
    const late = new AbortController()
    const all = Promise.all([...this.running.values()].map(({ finished }) => finished))
    await Promise.race([all, sleep(withinMs, undefined, { ref: false, signal: late.signal })])
    late.abort()
  }

  /** Drains, and looks after nothing any more. */
  async close(): Promise<void> {
    await this.drain()
    for (const timer of this.timers) clearInterval(timer)
    await Promise.all(this.looks)
  }

  private async lookForAbandoned(adopt: Adopt): Promise<void> {
    if (!this.isClosing) await this.takeOver(adopt)
    const { sweepEveryMs, keepFramesMs } = this.desk.timings
    if (performance.now() - this.lastSweepAt < sweepEveryMs) return
    this.lastSweepAt = performance.now()
    await this.desk.log.sweep(keepFramesMs)
  }

  private async renew(): Promise<void> {
    const before = [...this.running.keys()]
    if (before.length === 0) return
    const heldUntil = Date.now() + this.desk.lease.leaseMs
    const ours = new Map(
      (await this.desk.log.renew(this.desk.lease, before)).map((row) => [row.replyId, row.stopRequested]),
    )
    for (const replyId of before) {
      const reply = this.running.get(replyId)?.reply
      if (!ours.has(replyId)) reply?.end('lost')
      else if (ours.get(replyId)) reply?.end('stopped')
      if (reply && ours.has(replyId)) reply.heldUntil = heldUntil
    }
  }

  private async takeOver(adopt: Adopt): Promise<void> {
    let taken: Abandoned[]
    do {
      taken = await this.desk.log.takeOver(this.desk.lease, [...this.running.keys()], takeOverLimit)
      // All at once: the leases of those that wait are not renewed.
      await Promise.all(taken.map((one) => this.goOnWith(one, adopt).catch(reportAbandoned(one))))
    } while (taken.length === takeOverLimit)
  }

  private async goOnWith(abandoned: Abandoned, adopt: Adopt): Promise<void> {
    const { replyId, epoch, stopRequested, upstream } = abandoned
    const said = await readWhole(this.desk.log, replyId)
    const { opening, source } = await adopt(abandoned, said)
    if (this.isClosing) return this.desk.log.release({ replyId, epoch })
    const reply = new RunningReply({ replyId, epoch }, said)
    if (stopRequested) reply.end('stopped')
    this.write({ reply, opening, source: source ?? (async () => 'interrupted'), by: upstream })
  }

  /** Followers hear here of what they have missed if the bus was silent, wherever their reply is written. */
  private async lookForNews(): Promise<void> {
    const elsewhere: Tail[] = []
    for (const tail of this.tails) {
      const here = this.running.get(tail.replyId)?.reply
      // One that is to end may be another's by now.
      if (here && !here.abort.signal.aborted) tail.hearProgress(here.lastSeq)
      else elsewhere.push(tail)
    }
    if (elsewhere.length === 0) return
    const found = await this.desk.log.findProgress([...new Set(elsewhere.map(({ replyId }) => replyId))])
    const progress = new Map(found.map(({ replyId, lastSeq }) => [replyId, lastSeq]))
    for (const tail of elsewhere) tail.hearProgress(progress.get(tail.replyId) ?? null)
  }
}

/** Its lease runs out again, and somebody tries again. */
function reportAbandoned({ replyId }: Abandoned) {
  return (err: unknown) => serverLog().error({ err, replyId }, 'an abandoned reply could not be taken over')
}
