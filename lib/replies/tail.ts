import { type Bus, hearFrames } from './bus'
import type { Frame } from './frame'

/** What a follower has not taken yet is held up to this many characters; the rest it reads from the log. */
const maxQueuedLength = 64 * 1024

/** What is committed from now on, for one follower: a bounded queue fed by the bus. */
export class Tail {
  readonly replyId: string
  private queue: Frame[] = []
  private queuedLength = 0
  private mustRead = false
  /** The newest frame that it has had, or has. */
  private newestSeq = Number.NEGATIVE_INFINITY
  private wake: () => void = () => {}
  private readonly signal: AbortSignal
  private readonly unsubscribe: () => void
  private readonly onAbort = () => this.wake()

  constructor(bus: Bus, replyId: string, signal: AbortSignal) {
    this.replyId = replyId
    this.signal = signal
    signal.addEventListener('abort', this.onAbort)
    this.unsubscribe = hearFrames(bus, replyId, (frames) => this.push(frames))
  }

  private push(frames: Frame[]): void {
    if (this.mustRead) return
    this.newestSeq = Math.max(this.newestSeq, frames.at(-1)?.seq ?? -1)
    for (const { text } of frames) this.queuedLength += text.length
    if (this.queuedLength > maxQueuedLength) {
      this.readAgain()
      return
    }
    this.queue = this.queue.length === 0 ? frames : [...this.queue, ...frames]
    this.wake()
  }

  private readAgain(): void {
    this.mustRead = true
    this.queue = []
    this.queuedLength = 0
    this.wake()
  }

  /** The log has come this far; null if the reply is not there any more. A follower who is elsewhere reads again. */
  hearProgress(lastSeq: number | null): void {
    if (lastSeq !== this.newestSeq) this.readAgain()
  }

  /** The frames right after `last`, as soon as there are any; null when the log has to be read, or nobody wants more. */
  async next(last: number): Promise<Frame[] | null> {
    this.newestSeq = Math.max(this.newestSeq, last)
    while (!this.signal.aborted && !this.mustRead) {
      const frames = this.take(last)
      if (frames.length > 0) return frames
      if (this.mustRead) break
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
    this.readAgain()
    this.mustRead = false
    // What it had beyond that is dropped, and to be heard of again.
    this.newestSeq = last
    return null
  }

  /** What follows `last` without a gap; a message may have come twice, late, or not at all. */
  private take(last: number): Frame[] {
    const taken = this.queue
    this.queue = []
    this.queuedLength = 0
    if (taken.every(({ seq }, index) => seq === last + 1 + index)) return taken
    const following: Frame[] = []
    for (const frame of taken) if (frame.seq === last + 1 + following.length) following.push(frame)
    this.mustRead = taken.some(({ seq }) => seq > last + following.length)
    return following
  }

  close(): void {
    this.unsubscribe()
    this.signal.removeEventListener('abort', this.onAbort)
    this.wake()
  }
}
