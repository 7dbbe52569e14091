import type { Script } from './types.ts'

/** A piece of a stream as it is written at once, and where it stands among the deltas. */
export type Frame = {
  sse: string
  /** This frame is a delta. */
  delta?: boolean
  /** This frame tells the end of the answer. */
  terminal?: boolean
  /** Milliseconds to wait after this frame. */
  thenMs?: number
  /** Deltas before this frame; counted by the production. */
  before: number
}

/** An answer in the making: frames appear at the scripted pace, any number of readers follow. */
export class Production {
  readonly frames: Frame[] = []
  finished = false
  private halted = false
  private cutPause = () => {}
  private waiters: (() => void)[] = []

  /** Makes all frames at the pace of the script; ends early when stopped. */
  async run(source: Iterable<Omit<Frame, 'before'>>, script: Script): Promise<void> {
    const startMs = performance.now()
    let deltas = 0
    for (const frame of source) {
      if (frame.delta) await this.pace(script, startMs, deltas)
      if (this.halted) break
      this.frames.push({ ...frame, before: deltas })
      if (frame.delta) deltas += 1
      this.wake()
      await this.pause(frame.thenMs ?? 0)
    }
    this.finished = true
    this.wake()
  }

  /** Reads from the frame of this index on, to the end. */
  async *read(from: number): AsyncGenerator<Frame> {
    for (let index = from; ; index += 1) {
      while (index >= this.frames.length && !this.finished) await this.changed()
      const frame = this.frames[index]
      if (frame === undefined) return
      yield frame
    }
  }

  /** Makes no more frames; readers come to their end. */
  stop(): void {
    this.halted = true
    this.cutPause()
  }

  get stopped(): boolean {
    return this.halted
  }

  /** Waits, at most until the production is stopped. */
  private async pause(ms: number): Promise<void> {
    if (ms <= 0 || this.halted) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1))
      this.cutPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  private async pace(script: Script, startMs: number, deltas: number): Promise<void> {
    const { tokensPerSecond, delayMs = 0 } = script
    if (tokensPerSecond === undefined) return deltas === 0 ? undefined : this.pause(delayMs)
    await this.pause(startMs + (deltas * 1000) / tokensPerSecond - performance.now())
  }

  private changed(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve))
  }

  private wake(): void {
    const woken = this.waiters
    this.waiters = []
    for (const resolve of woken) resolve()
  }
}
