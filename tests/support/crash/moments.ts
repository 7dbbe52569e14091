import { setTimeout as sleep } from 'node:timers/promises'
import { between, type Chance } from './answers'

/** What is worth a crash just then: a message was taken, upstream was asked, a reader got words, or the end of them. */
export const moments = ['sent', 'asked', 'words', 'end'] as const
export type Moment = (typeof moments)[number]

/** Tells whoever waits for one that a moment has come. */
export class Moments {
  private readonly chance: Chance
  private readonly waiting = new Map<Moment, () => void>()

  constructor(chance: Chance) {
    this.chance = chance
  }

  tell(moment: Moment): void {
    this.waiting.get(moment)?.()
    this.waiting.delete(moment)
  }

  /** Waits for the next such moment, but not for ever, and a very little longer. */
  async next(moment: Moment, withinMs: number): Promise<void> {
    const come = new Promise<void>((done) => this.waiting.set(moment, done))
    await Promise.race([come, sleep(withinMs)])
    const moreMs = between(this.chance, 0, 3)
    if (moreMs > 0) await sleep(moreMs)
  }
}
