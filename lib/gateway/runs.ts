import { setTimeout as sleep } from 'node:timers/promises'
import { env } from '../env'
import { AppError, asAppError } from '../errors'
import { log } from '../log'
import { remember } from '../remember'
import { holdUse } from '../usage'
import { sweepKept } from './kept-rows'
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

/** As many run on one server at once, and as many of one user. */
const mostRuns = 1000
const mostOfUser = 100
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
  /** How many each user has, those that are about to begin among them. */
  readonly #places = new Map<string, number>()
  #taken = 0
  #timer: NodeJS.Timeout | undefined
  #renewing: Promise<void> | null = null
  #turn: Promise<void> | null = null
  #looks = 0
  #isClosing = false

  /** `isAlone`: no other server uses the database, so that what is under way there is nobody's. */
  async start(isAlone: boolean): Promise<void> {
    if (isAlone) await expireRuns()
    await this.#look()
    this.#timer = setInterval(() => {
      this.#renewing ??= this.#renew().finally(() => {
        this.#renewing = null
      })
      this.#looks += 1
      // Apart from it: to end what others have left may take a while, and leases do not wait.
      if (this.#looks % looksPerTakeOver !== 0) return
      this.#turn ??= this.#look().finally(() => {
        this.#turn = null
      })
    }, lookEveryMs).unref()
  }

  /**
   * A place for one more of a user's; what it returns gives it back. Throws unavailable where no more can run here now,
   * and too_many_requests where the user has as many as anybody may.
   */
  takePlace(userId: string): () => void {
    const own = this.#places.get(userId) ?? 0
    if (this.#isClosing || this.#taken >= mostRuns) throw noRoom()
    if (own >= mostOfUser) throw tooMany()
    this.#places.set(userId, own + 1)
    this.#taken += 1
    return () => {
      this.#taken -= 1
      const left = (this.#places.get(userId) ?? 1) - 1
      if (left > 0) this.#places.set(userId, left)
      else this.#places.delete(userId)
    }
  }

  open(start: RunStart, leave: () => void): void {
    const run = new Run(start)
    this.#running.set(run.id, run)
    void run.done.finally(() => {
      this.#running.delete(run.id)
      leave()
    })
  }

  find(id: string): Run | undefined {
    return this.#running.get(id)
  }

  /** Ends a run, wherever it is, and waits for its end. Throws unavailable where its server does not answer. */
  async cancel(id: string): Promise<void> {
    await requestCancel(id)
    const here = this.#running.get(id)
    here?.end('cancelled')
    await here?.done
    const until = performance.now() + cancelPatienceMs
    while (await isUnderWay(id)) {
      if (performance.now() > until) throw stillRuns()
      await sleep(cancelLookMs)
    }
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
    await Promise.all([this.#turn, this.#renewing])
    for (const run of this.#running.values()) run.end('stopped')
    await Promise.all([...this.#running.values()].map(({ done }) => done))
  }

  /** Looks after what is left behind: responses, their events, and those that are old. Never throws. */
  async #look(): Promise<void> {
    try {
      await this.#takeOver()
      if (this.#looks % looksPerSweep !== 0) return
      await sweepEvents(keepEventsMs)
      sweepKept()
    } catch (err) {
      log().warn({ err: asAppError(err) }, 'responses in the background could not be looked after')
    }
  }

  async #renew(): Promise<void> {
    const before = [...this.#running.keys()]
    if (before.length === 0) return
    try {
      const ours = new Map((await renewRuns(before)).map(({ id, isCancelled }) => [id, isCancelled]))
      for (const id of before) {
        const run = this.#running.get(id)
        if (!ours.has(id)) run?.end('lost')
        else if (ours.get(id)) run?.end('cancelled')
      }
    } catch (err) {
      log().warn({ err: asAppError(err) }, 'leases of responses in the background were not renewed')
    }
  }

  async #takeOver(): Promise<void> {
    const taken = await takeOverRuns(mostTaken, [...this.#running.keys()])
    await holdUse(taken.flatMap(({ bill }) => bill?.bill.reservation?.id ?? []))
    for (const lost of taken) await this.#endLost(lost)
    if (taken.length === mostTaken && !this.#isClosing) await this.#takeOver()
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

function noRoom(): AppError {
  const message = 'This server takes no more responses in the background now. Try again in a moment.'
  return new AppError('unavailable', message, { retryAfterSeconds: 5 })
}

function tooMany(): AppError {
  const message = `You have ${mostOfUser} responses in the background under way. Wait for one of them to end.`
  return new AppError('too_many_requests', message, { retryAfterSeconds: 5 })
}

function stillRuns(): AppError {
  const message = 'The server that makes this response does not answer. It will be ended in half a minute.'
  return new AppError('unavailable', message, { retryAfterSeconds: 30 })
}

export const runs = () => remember('gateway.runs', () => new Runs())

/** At start: ends what a crash has left, and keeps looking after what runs. */
export const startRuns = (isAlone: boolean): Promise<void> => runs().start(isAlone)

/** Before the end: waits for what runs, for as long as DRAIN_TIMEOUT, and takes no more. */
export const drainRuns = (): Promise<void> => runs().drain()

/** At the end. */
export const stopRuns = (): Promise<void> => runs().stop()
