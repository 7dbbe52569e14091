import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../lib/errors'
import type { DeltaType } from '../../lib/replies/frame'
import type { ReplySink, ReplySource } from '../../lib/replies/write'

/** One event of a model; `isBare` comes without a number, `pauseMs` after the one before it. */
export type UpstreamEvent = { type: DeltaType; text: string; pauseMs: number; isBare: boolean }

/** How a model behaves: what it says, and how it ends. */
export type UpstreamPlan = {
  events: UpstreamEvent[]
  isResumable: boolean
  /** After its last event it says nothing more, and never ends. */
  ending: 'ends' | 'breaks' | 'never ends'
  /** So many events are still passed on after the reader has hung up: they were read before. */
  deafFor: number
  /** Whether it knows of the answer when somebody asks for the rest of it. */
  forgets: boolean
  /** Whether it waits with its next event until its turn begins. */
  keepsPace: boolean
}

/** A call to the model, by whom, from its beginning or after an event. */
export type UpstreamCall = { by: string; after: number | null }

/** A model in the test that says the same numbered events to everyone who asks. */
export class Upstream {
  readonly plan: UpstreamPlan
  readonly calls: UpstreamCall[] = []
  /** Calls that have not ended. */
  atWork = 0

  constructor(plan: UpstreamPlan) {
    this.plan = plan
  }

  /** All that it says, as it can be stored. */
  get whole(): string {
    return this.plan.events
      .map(({ text }) => text)
      .join('')
      .replaceAll('\u0000', '\ufffd')
      .toWellFormed()
  }

  /** A call for the answer, by somebody who may die in the middle. */
  begin(by: string, death: AbortSignal): ReplySource {
    return async (sink, signal) => {
      this.calls.push({ by, after: null })
      const served = { provider: 'test', model: 'm', resumable: this.plan.isResumable }
      const noted = sink.serving(served)
      if (this.plan.isResumable) {
        await noted
        sink.resumable()
      }
      return this.say(0, sink, signal, death)
    }
  }

  /** A call for the rest of the answer after event number `after`. */
  resume(by: string, after: number, death: AbortSignal): ReplySource {
    return async (sink, signal) => {
      this.calls.push({ by, after })
      if (this.plan.forgets) return 'interrupted'
      sink.resumable()
      return this.say(after, sink, signal, death)
    }
  }

  private async say(from: number, ...[sink, signal, death]: Says): Promise<void> {
    this.atWork += 1
    try {
      await this.sayAll(from, sink, signal, death)
    } finally {
      this.atWork -= 1
    }
  }

  private async sayAll(from: number, ...[sink, signal, death]: Says): Promise<void> {
    let deafFor = this.plan.deafFor
    const turns = this.plan.keepsPace ? new TurnWatch(sink.pace, AbortSignal.any([signal, death])) : null
    for (const [n, { type, text, pauseMs, isBare }] of this.plan.events.entries()) {
      if (n < from) continue
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
      death.throwIfAborted()
      if (signal.aborted && deafFor-- <= 0) throw hungUp()
      await sink[type](text, this.plan.isResumable && !isBare ? n + 1 : undefined)
      await turns?.next()
    }
    if (this.plan.ending === 'breaks') throw new AppError('provider_failed', 'The model broke\u0000 off.')
    if (this.plan.ending === 'never ends') await untilHungUp(AbortSignal.any([signal, death]))
    sink.usage({
      input_tokens: 1,
      output_tokens: this.plan.events.length,
      total_tokens: 0,
      cached_tokens: 0,
      reasoning_tokens: 0,
    })
  }
}

/** Waits for turns, as long as somebody listens. */
class TurnWatch {
  private wake = () => {}
  private readonly pace: ReplySink['pace']
  private readonly signal: AbortSignal

  constructor(pace: ReplySink['pace'], signal: AbortSignal) {
    this.pace = pace
    this.signal = signal
    const leave = pace.onChange(() => this.wake())
    const end = () => {
      leave()
      this.wake()
    }
    signal.addEventListener('abort', end)
  }

  async next(): Promise<void> {
    while (!this.pace.isTurn && !this.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }
}

type Says = [...call: Parameters<ReplySource>, death: AbortSignal]

function hungUp(): Error {
  return new Error('The reader hung up.')
}

function untilHungUp(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(hungUp())
    signal.addEventListener('abort', () => reject(hungUp()))
  })
}
