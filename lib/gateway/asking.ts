import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, asAppError } from '../errors'
import { admitCall, noteCallFailure, noteCallNothing, noteCallSuccess } from '../providers'
import { type Reservation, releaseUse } from '../usage'
import { noteOutcome } from '../vault'
import type { Call } from './call'
import { type Exchange, openExchange } from './exchange'
import { type Refusal, readRefusal } from './refusal'
import { reserve } from './reserve'
import type { Target } from './targets'

/** So often a call is tried again that failed before its answer began. */
const maxRetries = 2
/** Whoever would have to wait for longer is told so: callers know better what to do meanwhile. */
const longestWaitMs = 10_000
/** Where another key or model can be asked, nobody waits for long. */
const longestWaitBesideMs = 1000
const usualWaitMs = 500

/** What came of asking one target. */
export type Trial =
  | { kind: 'answer'; exchange: Exchange }
  | { kind: 'refusal'; exchange: Exchange; refusal: Refusal }
  | { kind: 'failure'; target: Target; error: AppError }
  /** `isSent`: a server may have heard of it by then. */
  | { kind: 'left'; target: Target; error: unknown; isSent: boolean }

/** What came of the call in the end, how often it was tried again, and what was set aside for it. */
export type Outcome = { trial: Trial; retries: number; reservation: Reservation | null }

/** One call, asked of one target after the other until one answers. */
export class Asking {
  readonly #call: Call
  #retries = 0
  #isSent = false
  #held: { name: string; reservation: Reservation | null } | null = null
  /** Is told whenever what was set aside has changed, before anybody is asked. */
  whenHeld: ((target: Target, reservation: Reservation | null) => Promise<void>) | null = null

  constructor(call: Call) {
    this.#call = call
  }

  /**
   * Sets aside now what the call may cost with this target, so that a caller without means is refused before anything
   * else. Throws as `run`. What is not asked for then is to be given back by the caller.
   */
  async prepare(target: Target): Promise<Reservation | null> {
    await this.#hold(target)
    return this.#held?.reservation ?? null
  }

  /**
   * Asks, again where a target failed before its answer began, twice in all, and as its `retry-after` says. Throws
   * budget_exceeded and too_many_requests where the caller's API key has no more, and the signal's reason.
   */
  async run(targets: Target[]): Promise<Outcome> {
    try {
      return await this.#ask(targets)
    } catch (error) {
      if (this.#held?.reservation) await releaseUse(this.#held.reservation)
      throw error
    }
  }

  async #ask(targets: Target[]): Promise<Outcome> {
    for (const [index, target] of targets.entries()) {
      const isLast = index === targets.length - 1
      const trial = await this.#tryTarget(target, isLast)
      if (isLast || !movesOn(trial)) {
        return { trial, retries: this.#retries, reservation: this.#held?.reservation ?? null }
      }
      this.#retries += 1
    }
    throw new AppError('unavailable', 'No model server can be asked at present.')
  }

  async #tryTarget(target: Target, isLast: boolean): Promise<Trial> {
    const name = circuitOf(target)
    const admission = admitCall(name)
    if (!admission.isAdmitted) return { kind: 'failure', target, error: resting(target, admission.waitMs) }
    try {
      await this.#hold(target)
      const trial = await this.#insist(target, isLast ? longestWaitMs : longestWaitBesideMs)
      noteCircuit(target, trial)
      return trial
    } finally {
      noteCallNothing(name)
    }
  }

  /** Sets aside what the call may cost with this model. */
  async #hold(target: Target): Promise<void> {
    // Another server may ask another price for the same model.
    const name = `${target.key.provider}|${target.model}`
    if (this.#held?.name === name) return
    const before = this.#held?.reservation
    if (before) await releaseUse(before)
    const isAgain = this.#held !== null
    this.#held = null
    const reservation = await reserve(this.#call.actor, this.#call.question, target, isAgain)
    this.#held = { name, reservation }
    await this.whenHeld?.(target, reservation)
  }

  async #insist(target: Target, patienceMs: number): Promise<Trial> {
    for (;;) {
      const trial = await this.#tryOnce(target)
      const waitMs = this.#retries < maxRetries ? waitBeforeRetry(trial, this.#retries) : null
      if (waitMs === null || waitMs > patienceMs) return trial
      this.#retries += 1
      const { signal } = this.#call
      await sleep(waitMs, undefined, { signal }).catch(() => {
        throw signal.reason
      })
    }
  }

  async #tryOnce(target: Target): Promise<Trial> {
    const { key } = target
    const { signal } = this.#call
    if (signal.aborted) return { kind: 'left', target, error: signal.reason, isSent: this.#isSent }
    this.#isSent = true
    try {
      const exchange = await openExchange({
        ...this.#call,
        target,
        reservation: this.#held?.reservation ?? null,
      })
      if (exchange.answer.status < 400) {
        void noteOutcome(key, null)
        return { kind: 'answer', exchange }
      }
      const { refusal, cause } = await readRefusal(key, exchange.answer, exchange.wire.toRefusal)
      void noteOutcome(key, cause)
      return { kind: 'refusal', exchange, refusal }
    } catch (error) {
      if (signal.aborted) return { kind: 'left', target, error: signal.reason, isSent: true }
      const fault = asAppError(error)
      void noteOutcome(key, error)
      if (fault.code === 'internal' || fault.code === 'invalid_input') throw fault
      return { kind: 'failure', target, error: fault }
    }
  }
}

/** What a key's server fails with is counted for the key. */
function circuitOf({ key }: Target): string {
  return key.credentialId ?? `${key.source}|${key.baseUrl}|${key.last4}`
}

function labelOf({ key }: Target): string {
  if (key.label) return key.label
  return key.last4 === null ? new URL(key.baseUrl).host : `the key ending ${key.last4}`
}

/** Told to callers, who need not know which key it is: that is on the health page. */
function resting({ key }: Target, waitMs: number): AppError {
  const message = `The model server (${key.provider}) failed several times in a row and is left alone for a moment. Try again in ${Math.ceil(waitMs / 1000)} s.`
  return new AppError('unavailable', message, {
    retryAfterSeconds: waitMs / 1000,
    facts: { code: 'provider_resting' },
  })
}

/** One call is one failure, however often it was tried. */
function noteCircuit(target: Target, trial: Trial): void {
  if (trial.kind === 'left') return
  const isFailure =
    trial.kind === 'failure'
      ? isServersFault(trial.error)
      : trial.kind === 'refusal' && trial.refusal.status >= 500
  if (isFailure) noteCallFailure(circuitOf(target), labelOf(target))
  else if (trial.kind !== 'failure') noteCallSuccess(circuitOf(target))
}

function isServersFault({ code, facts }: AppError): boolean {
  return (code === 'provider_failed' || code === 'provider_timeout') && facts?.failure !== 'not_allowed'
}

/** How long to wait until this is tried again, in milliseconds; null: not at all. */
function waitBeforeRetry(trial: Trial, retries: number): number | null {
  if (trial.kind === 'answer' || trial.kind === 'left') return null
  if (trial.kind === 'failure') return isBrokenConnection(trial.error) ? usualWait(retries) : null
  const { status, code, error, isFinal, retryAfterMs } = trial.refusal
  const isPassing = status >= 500 || (status === 429 && !isSpent(code) && !isSpent(error.type))
  if (!isPassing || isFinal) return null
  return retryAfterMs ?? usualWait(retries)
}

/** OpenAI's words, and those of servers alike, for a quota that waiting does not fill. */
const spentWords = new Set([
  'insufficient_quota',
  'billing_hard_limit_reached',
  'billing_not_active',
  'credit_exhausted',
  'insufficient_balance',
])

const isSpent = (word: string | null) => word !== null && spentWords.has(word)

/** What a wrong address fails with, it fails with again. */
function isBrokenConnection({ code, facts }: AppError): boolean {
  const { failure } = facts ?? {}
  return code === 'provider_failed' && (failure === undefined || failure === 'unreachable')
}

function usualWait(retries: number): number {
  return usualWaitMs * 2 ** retries * (0.75 + Math.random() / 4)
}

/** Whether another key or model may do better: not where the call itself is at fault. */
function movesOn(trial: Trial): boolean {
  if (trial.kind === 'answer' || trial.kind === 'left') return false
  if (trial.kind === 'failure') return true
  const { status, code } = trial.refusal
  return status >= 500 || [401, 403, 408, 429].includes(status) || code === 'model_not_found'
}
