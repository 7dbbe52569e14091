import { setTimeout as sleep } from 'node:timers/promises'
import { env } from '../env'
import { AppError, asAppError } from '../errors'
import { log } from '../log'
import { remember } from '../remember'
import { holdUse } from '../usage'
import { estimateOutput, writeDown } from './open-bills'
import { endAsLost, Run, type RunStart } from './run'
import { foldRun } from './run-fold'
import {
  endRun,
  expireRuns,
  isUnderWay,
  type LostRun,
  renewRuns,
  requestCancel,
  sweepEvents,
  takeOverRuns,
} from './run-rows'

/** As many run on one server at once. */
const mostRuns = 1000
const mostTaken = 20
const lookEveryMs = 1000
/** A look in so many is for what other servers have left behind. */
const looksPerTakeOver = 10
const looksPerSweep = 60
/** The events of a response that has ended can be asked for as long as at OpenAI. */
const keepEventsMs = 600_000
const cancelPatienceMs = 10_000
const cancelLookMs = 200

/** The responses that this server makes in the background. */
class Runs {
  readonly #running = new Map<string, Run>()
  #timer: NodeJS.Timeout | undefined
  #turn: Promise<void> | null = null
  #looks = 0
  #isClosing = false

  /** `isAlone`: no other server uses the database, so that what is under way there is nobody's. */
  async start(isAlone: boolean): Promise<void> {
    if (isAlone) await expireRuns()
    await this.#takeOver()
    this.#timer = setInterval(() => {
      this.#turn ??= this.#look().finally(() => {
        this.#turn = null
      })
    }, lookEveryMs).unref()
  }

  /** Throws unavailable where no more can run here now. */
  requireRoom(): void {
    if (!this.#isClosing && this.#running.size < mostRuns) return
    const message = 'This server takes no more responses in the background now. Try again in a moment.'
    throw new AppError('unavailable', message, { retryAfterSeconds: 5 })
  }

  open(start: RunStart): void {
    const run = new Run(start)
    this.#running.set(run.id, run)
    void run.done.finally(() => this.#running.delete(run.id))
  }

  find(id: string): Run | undefined {
    return this.#running.get(id)
  }

  /** Ends a run, wherever it is; returns when it has ended. */
  async cancel(id: string): Promise<void> {
    await requestCancel(id)
    const here = this.#running.get(id)
    here?.end('cancelled')
    await here?.done
    const until = performance.now() + cancelPatienceMs
    while ((await isUnderWay(id)) && performance.now() < until) await sleep(cancelLookMs)
  }

  /** Its row is deleted: nobody can ask for it any more. */
  async forget(id: string): Promise<void> {
    const here = this.#running.get(id)
    here?.end('deleted')
    await here?.done
  }

  /** Takes no more, and waits for those that run. */
  async drain(): Promise<void> {
    this.#isClosing = true
    const late = new AbortController()
    const all = Promise.all([...this.#running.values()].map(({ done }) => done))
    const waiting = sleep(env().DRAIN_TIMEOUT, undefined, { ref: false, signal: late.signal })
    await Promise.race([all, waiting.catch(() => undefined)])
    late.abort()
  }

  /** Ends those that still run, with a word to whoever asks for them. */
  async stop(): Promise<void> {
    this.#isClosing = true
    clearInterval(this.#timer)
    await this.#turn
    for (const run of this.#running.values()) run.end('stopped')
    await Promise.all([...this.#running.values()].map(({ done }) => done))
  }

  async #look(): Promise<void> {
    this.#looks += 1
    try {
      await this.#renew()
      if (this.#looks % looksPerTakeOver === 0) await this.#takeOver()
      if (this.#looks % looksPerSweep === 0) await sweepEvents(keepEventsMs)
    } catch (err) {
      log().warn({ err: asAppError(err) }, 'responses in the background could not be looked after')
    }
  }

  async #renew(): Promise<void> {
    const before = [...this.#running.keys()]
    if (before.length === 0) return
    const ours = new Map((await renewRuns(before)).map(({ id, isCancelled }) => [id, isCancelled]))
    for (const id of before) {
      const run = this.#running.get(id)
      if (!ours.has(id)) run?.end('lost')
      else if (ours.get(id)) run?.end('cancelled')
    }
  }

  async #takeOver(): Promise<void> {
    let taken: LostRun[]
    do {
      taken = await takeOverRuns(mostTaken)
      await holdUse(taken.flatMap(({ bill }) => bill?.bill.reservation?.id ?? []))
      for (const lost of taken) await this.#endLost(lost)
    } while (taken.length === mostTaken)
  }

  /** A response whose server is gone has failed, and what it used is written down; its lease runs out if that fails. */
  async #endLost({ id, response: begun, bill, isCancelled }: LostRun): Promise<void> {
    try {
      const { output, lastSeq } = await foldRun(id)
      const failed = endAsLost(begun, output, lastSeq + 1)
      const cancelled = { response: { ...begun, status: 'cancelled', output }, event: null }
      const { response, event } = isCancelled ? cancelled : failed
      const outputTokens = estimateOutput(response)
      if (bill) await writeDown(bill, { usage: null, outcome: 'interrupted', outputTokens })
      await endRun(id, response, event ? [event] : [])
    } catch (err) {
      log().error({ err: asAppError(err), responseId: id }, 'a response that was left could not be ended')
    }
  }
}

export const runs = () => remember('gateway.runs', () => new Runs())

/** At start: ends what a crash has left, and keeps looking after what runs. */
export const startRuns = (isAlone: boolean): Promise<void> => runs().start(isAlone)

/** Before the end: waits for what runs, for as long as DRAIN_TIMEOUT, and takes no more. */
export const drainRuns = (): Promise<void> => runs().drain()

/** At the end. */
export const stopRuns = (): Promise<void> => runs().stop()
