import type { ProviderTimeouts } from './port'

export type Phase = 'connect' | 'firstByte' | 'idle'
export type Expired = Phase | 'total'

const longestTimerMs = 2 ** 31 - 1

/** Watches one call against its timeouts. A touch costs a clock reading, no timer. */
export class Watchdog {
  readonly #limits: ProviderTimeouts
  readonly #expired: (what: Expired) => void
  readonly #startedAt = performance.now()
  #phase: Phase = 'connect'
  #since = this.#startedAt
  #held = false
  #stopped = false
  #timer: NodeJS.Timeout | undefined

  constructor(limits: ProviderTimeouts, expired: (what: Expired) => void) {
    this.#limits = limits
    this.#expired = expired
    this.#check()
  }

  /** Begins a phase, and its clock. */
  enter(phase: Phase): void {
    this.#phase = phase
    this.#since = performance.now()
    this.#check()
  }

  /** Something came: the clock of the phase begins anew. */
  touch(): void {
    this.#since = performance.now()
  }

  /** While our own reader keeps upstream waiting, its silence is no fault. */
  hold(held: boolean): void {
    this.#held = held
    this.touch()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #check(): void {
    clearTimeout(this.#timer)
    if (this.#stopped) return
    const now = performance.now()
    if (this.#held) this.#since = now
    const totalLeft = this.#limits.totalMs - (now - this.#startedAt)
    const phaseLeft = this.#limits[`${this.#phase}Ms`] - (now - this.#since)
    if (totalLeft <= 0) this.#expired('total')
    else if (phaseLeft <= 0) this.#expired(this.#phase)
    else this.#arm(Math.min(totalLeft, phaseLeft))
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => this.#check(), Math.min(Math.ceil(delayMs), longestTimerMs))
  }
}
