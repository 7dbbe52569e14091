import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../lib/errors'
import type { Bus } from '../../lib/replies/bus'
import type { ReplyLog } from '../../lib/replies/log'
import { type Adopt, ReplyNode } from '../../lib/replies/node'
import type { Opening, ReplyEnd } from '../../lib/replies/write'
import { quickTimings } from './reply-bench'
import { makeFaultyLog, Weather } from './reply-faults'
import { Follower } from './reply-follower'
import { LossyBus } from './reply-lossy-bus'
import type { OpenRow } from './reply-rows'
import { describeStep, type Schedule, type Step } from './reply-schedule'
import { Upstream } from './reply-upstream'
import { Witness } from './reply-witness'

const maxReplies = 3
/** When nothing goes wrong any more, everything ends long before that. */
const boundMs = 6000

/** A reply in the test, with all that is expected of it. */
export type TestedReply = {
  name: string
  row: OpenRow
  upstream: Upstream
  /** A stop was acknowledged. */
  isStopped: boolean
  isDeleted: boolean
  /** What was written to the ledger, by which writer. */
  ended: { by: string; end: ReplyEnd }[]
}

/** One server, from its boot to its end. */
class TestedNode {
  readonly name: string
  readonly weather: Weather
  readonly death = new AbortController()
  readonly node: ReplyNode
  isReady = false
  isClosing = false
  closed: Promise<void> | null = null

  constructor(name: string, log: ReplyLog, bus: Bus, tell: (what: string) => void) {
    this.name = name
    this.weather = new Weather((what) => tell(`${name}: ${what}`))
    this.node = new ReplyNode({
      nodeId: name,
      log: makeFaultyLog(log, this.weather),
      bus,
      timings: quickTimings,
    })
  }

  get isDead(): boolean {
    return this.death.signal.aborted
  }

  get serves(): boolean {
    return this.isReady && !this.isDead && !this.isClosing
  }
}

/** Where replies are written in this test. */
export type WorldPorts = {
  log: ReplyLog
  insertReply: (nodeId: string, leaseMs: number) => Promise<OpenRow>
  deleteReply: (row: OpenRow) => Promise<void>
}

/** Some nodes on one log, and what happens to them. */
export class World {
  readonly witness: Witness
  readonly replies: TestedReply[] = []
  readonly followers: Follower[] = []
  readonly violations: string[] = []
  readonly story: string[] = []
  private readonly startedAt = performance.now()
  private readonly nodes: TestedNode[] = []
  private readonly bus: LossyBus
  private readonly ports: WorldPorts
  private readonly schedule: Schedule
  private ledgerFailures = 0
  private background: Promise<unknown>[] = []

  constructor(ports: WorldPorts, schedule: Schedule) {
    this.ports = ports
    this.schedule = schedule
    this.witness = new Witness(ports.log)
    this.bus = new LossyBus(schedule.fates)
  }

  /** Lets the schedule happen, then lets everything come to its end in fair weather. */
  async run(): Promise<void> {
    for (let n = 0; n < this.schedule.nodes; n++) await this.boot()
    for (const step of this.schedule.steps) {
      await sleep(step.afterMs)
      this.tell(describeStep(step))
      await this.take(step)
    }
    await this.calmDown()
    await this.endEverything()
  }

  private tell(what: string): void {
    this.story.push(`${Math.round(performance.now() - this.startedAt)} ms  ${what}`)
  }

  private readonly violate = (what: string): void => {
    this.tell(`!! ${what}`)
    this.violations.push(what)
  }

  private serving(n: number): TestedNode | null {
    const serving = this.nodes.filter(({ serves }) => serves)
    return serving[n % serving.length] ?? null
  }

  private async take(step: Step): Promise<void> {
    if (step.do === 'boot') return this.boot()
    if (step.do === 'ledger fails') this.ledgerFailures += step.times
    if (step.do === 'delete') return this.delete(this.replies[step.reply % this.replies.length])
    if (step.do === 'leave') return this.followers[step.follower % this.followers.length]?.leave()
    if (!('node' in step)) return
    const at = this.serving(step.node)
    if (!at) return
    if (step.do === 'open') return this.open(at, new Upstream(step.plan))
    if (step.do === 'follow') return this.follow(at, step.reply, step.readMs)
    if (step.do === 'return') return this.followers[step.follower % this.followers.length]?.connect(at.node)
    if (step.do === 'stop')
      return void this.inBackground(this.stop(at, this.replies[step.reply % this.replies.length]))
    if (step.do === 'fault') return at.weather.add(step)
    if (step.do === 'outage') return at.weather.breakFor(step.ms)
    if (step.do === 'stall') return at.weather.stallFor(step.ms)
    if (step.do === 'crash') return this.crash(at, step.lands)
    if (step.do === 'close') return this.close(at)
  }

  private inBackground(work: Promise<unknown>): void {
    this.background.push(work)
  }

  private async boot(): Promise<void> {
    const n = this.nodes.length
    if (this.nodes.filter((node) => !node.isDead && !node.isClosing).length >= this.schedule.nodes) return
    const tested = new TestedNode(`node ${n}`, this.witness.log, this.bus.at(n), (what) => this.tell(what))
    this.nodes.push(tested)
    const started = tested.node.start(this.adopt(tested)).then(
      () => {
        tested.isReady = true
      },
      () => this.crash(tested, true),
    )
    this.inBackground(started)
    await started
  }

  private adopt(tested: TestedNode): Adopt {
    return async ({ replyId, upstream, epoch, stopRequested }, said) => {
      await sleep(this.schedule.adoptMs)
      const reply = this.find(replyId)
      const last = said.at(-1)
      const after = last ? last.cursor : 0
      const known = upstream?.resumable === true && after !== undefined
      this.tell(
        `${tested.name} adopts ${reply.name}, epoch ${epoch}, after ${last?.seq} (${after}), ${stopRequested}`,
      )
      const source = known ? reply.upstream.resume(tested.name, after, tested.death.signal) : null
      return { opening: this.opening(tested, reply, epoch), source }
    }
  }

  private find(replyId: string): TestedReply {
    const reply = this.replies.find(({ row }) => row.replyId === replyId)
    if (!reply) throw new Error(`A reply of another test: ${replyId}`)
    return reply
  }

  private opening(tested: TestedNode, reply: TestedReply, epoch: number): Opening {
    return {
      explain: ({ code, message }) => ({ code, message, remedy: 'retry' }),
      ended: async (end) => {
        if (tested.isDead) throw new AppError('unavailable', 'It is dead.')
        if (this.ledgerFailures > 0) {
          this.ledgerFailures -= 1
          throw new AppError('unavailable', 'The ledger is away.')
        }
        this.tell(`${tested.name} counts ${reply.name} as ${end.type}`)
        reply.ended.push({ by: `${tested.name}, epoch ${epoch}`, end })
      },
    }
  }

  private async open(at: TestedNode, upstream: Upstream): Promise<void> {
    if (this.replies.length >= maxReplies) return
    const row = await this.ports.insertReply(at.name, quickTimings.leaseMs)
    const reply: TestedReply = {
      name: `reply ${this.replies.length}`,
      row,
      upstream,
      isStopped: false,
      isDeleted: false,
      ended: [],
    }
    this.replies.push(reply)
    at.node.open(row.replyId, this.opening(at, reply, 1), upstream.begin(at.name, at.death.signal))
    this.follow(at, this.replies.length - 1, 0)
  }

  private follow(at: TestedNode, n: number, readMs: number): void {
    const reply = this.replies[n % this.replies.length]
    if (!reply) return
    const name = `follower ${this.followers.length} of ${reply.name}`
    const isDeleted = () => reply.isDeleted
    const place = { replyId: reply.row.replyId, isDeleted, witness: this.witness, violate: this.violate }
    const follower = new Follower(name, place, readMs)
    this.followers.push(follower)
    follower.connect(at.node)
  }

  private async stop(at: TestedNode, reply: TestedReply | undefined): Promise<void> {
    try {
      if (!reply) return
      await at.node.stop(reply.row.replyId)
      if (at.isDead) return
      this.tell(`${at.name} has stopped ${reply.name}`)
      reply.isStopped = true
    } catch {
      // The caller is told, and may try again.
    }
  }

  private async delete(reply: TestedReply | undefined): Promise<void> {
    if (!reply) return
    reply.isDeleted = true
    await this.ports.deleteReply(reply.row)
  }

  private crash(at: TestedNode, lands: boolean): void {
    const n = this.nodes.indexOf(at)
    at.weather.clear()
    at.weather.die(lands)
    this.bus.silence(n)
    at.death.abort()
    this.hangUp(at)
    this.close(at)
  }

  private close(at: TestedNode): void {
    if (at.isClosing && !at.isDead) return
    at.isClosing = true
    at.closed ??= at.node.close().then(() => this.hangUp(at))
  }

  /** The server is gone, and so is every line to it. */
  private hangUp(at: TestedNode): void {
    for (const follower of this.followers) if (follower.node === at.node) follower.leave()
  }

  private async calmDown(): Promise<void> {
    this.tell('fair weather')
    this.ledgerFailures = 0
    for (const { weather } of this.nodes) weather.clear()
    await Promise.all(this.background)
    if (!this.serving(0)) await this.boot()
    for (const reply of this.replies) {
      if (reply.upstream.plan.ending !== 'never ends' || reply.isStopped || reply.isDeleted) continue
      const at = this.serving(0)
      if (at) await this.stop(at, reply)
    }
  }

  private async endEverything(): Promise<void> {
    const until = performance.now() + boundMs
    await this.waitFor(until, 'a reply did not end', async () => {
      const found = await Promise.all(this.replies.map(({ row }) => this.ports.log.find(row.replyId)))
      return found.every((standing) => standing?.type !== 'running')
    })
    await this.waitFor(until, 'a follower did not come to the end', async () => {
      const left = this.followers.filter(({ hasEnded, isGone }) => !hasEnded && !isGone)
      for (const [n, follower] of left.entries()) {
        const at = this.serving(n)
        if (!follower.isConnected && at) follower.connect(at.node)
      }
      return left.length === 0
    })
    await this.waitFor(until, 'a call to the model was left open', async () =>
      this.replies.every(({ upstream }) => upstream.atWork === 0),
    )
    await this.closeAll()
  }

  private async waitFor(until: number, otherwise: string, isSo: () => Promise<boolean>): Promise<void> {
    while (!(await isSo())) {
      if (performance.now() > until) return this.violate(otherwise)
      await sleep(10)
    }
  }

  private async closeAll(): Promise<void> {
    for (const follower of this.followers) follower.leave()
    for (const at of this.nodes) this.close(at)
    await Promise.all(this.nodes.map(({ closed }) => closed))
    await Promise.allSettled(this.nodes.flatMap(({ weather }) => weather.stray))
    await Promise.all(this.followers.map((follower) => follower.settle()))
  }
}
