import { subscribe } from '../bus'
import { AppError } from '../errors'
import { frameTopic } from './committer'
import { type Frame, isTerminal, type TerminalType } from './frame'
import { readFrames, readReply } from './store'

const pageSize = 500
const maxQueuedLength = 64 * 1024
/** How often a follower looks by itself: the writer may be on another node, or gone. */
const lookMs = 1000

/**
 * The frames of a reply after `after`, replayed from the database and then tailed; ends with the terminal frame.
 * What the follower has not read yet is held up to 64 KB; beyond that it is read from the database again.
 */
export async function* followFrames(
  replyId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  const tail = new Tail(replyId, signal)
  try {
    let last = after
    for (;;) {
      // Read before the frames: what has ended by now has all of its frames committed.
      const ended = await readEnd(replyId)
      for await (const frame of replay(replyId, last)) {
        yield frame
        if (isTerminal(frame)) return
        last = frame.seq
      }
      if (ended) return yield* folded(ended, last)
      for await (const frame of tail.next(last)) {
        yield frame
        if (isTerminal(frame)) return
        last = frame.seq
      }
      if (signal.aborted) return
    }
  } finally {
    tail.close()
  }
}

async function* replay(replyId: string, after: number): AsyncGenerator<Frame> {
  let last = after
  for (;;) {
    const frames = await readFrames(replyId, last, pageSize)
    for (const frame of frames) {
      if (frame.seq !== last + 1)
        throw new AppError('conflict', 'A part of this answer is missing. Load the page again.')
      yield frame
      last = frame.seq
    }
    if (frames.length < pageSize) return
  }
}

type End = { lastSeq: number; type: TerminalType; text: string }

async function readEnd(replyId: string): Promise<End | null> {
  const reply = await readReply(replyId)
  if (!reply) throw new AppError('not_found', 'This answer is gone.')
  if (reply.status === 'running' || reply.lastSeq === null) return null
  return { lastSeq: reply.lastSeq, type: reply.status as TerminalType, text: reply.message.text }
}

/** A reply whose frames are folded: its text in one piece for a follower who has nothing, and the terminal frame. */
function* folded({ lastSeq, type, text }: End, last: number): Generator<Frame> {
  if (last < 0 && lastSeq > 0 && text !== '') yield { seq: lastSeq - 1, type: 'text', text }
  yield { seq: lastSeq, type, text: '' }
}

/** What was committed since: a bounded queue fed by the bus. */
class Tail {
  private queue: Frame[] = []
  private queuedLength = 0
  private overflowed = false
  private wake: () => void = () => {}
  private readonly signal: AbortSignal
  private readonly unsubscribe: () => void
  private readonly onAbort = () => this.wake()

  constructor(replyId: string, signal: AbortSignal) {
    this.signal = signal
    signal.addEventListener('abort', this.onAbort)
    this.unsubscribe = subscribe(frameTopic(replyId), (frames) => this.push(frames as Frame[]))
  }

  private push(frames: Frame[]): void {
    if (this.overflowed) return
    this.queue.push(...frames)
    for (const { text } of frames) this.queuedLength += text.length
    this.overflowed = this.queuedLength > maxQueuedLength
    if (this.overflowed) this.queue = []
    this.wake()
  }

  /** Frames after `last`, until the database has to be read again. */
  async *next(last: number): AsyncGenerator<Frame> {
    let expected = last + 1
    while (!this.signal.aborted) {
      if (this.queue.length === 0 && !this.overflowed && !(await this.waitForMore())) return
      const frames = this.queue
      const mustRead = this.overflowed
      Object.assign(this, { queue: [], queuedLength: 0, overflowed: false })
      for (const frame of frames) {
        if (frame.seq < expected) continue
        if (frame.seq > expected) return
        expected += 1
        yield frame
      }
      if (mustRead) return
    }
  }

  private waitForMore(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), lookMs)
      this.wake = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }

  close(): void {
    this.unsubscribe()
    this.signal.removeEventListener('abort', this.onAbort)
    this.wake()
  }
}
