import type { MessagePart } from '../contracts/conversations'
import type { AppError } from '../errors'
import { type DeltaType, type Frame, foldParts, makeStorable } from './frame'
import { type Owner, page } from './log'
import { Turns } from './turns'

/** What is longer is cut: a follower gets whole frames, and so does a page of them. */
const maxFrameLength = 16 * 1024

/** Frames that wait for the disk may hold this many characters; then the source has to wait too. */
const maxWaitingLength = 256 * 1024

/**
 * Why a writer was told to end: the reader wants no more; the server is going, or gone; somebody else writes the reply
 * now, or it was deleted; it is to be picked up by another; or its frames could not be committed.
 */
export type EndReason = 'stopped' | 'interrupted' | 'lost' | 'released' | AppError

function isHighSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at)
  return unit >= 0xd800 && unit <= 0xdbff
}

/** A reply that this node is writing: what was said, what is committed, and what waits for the next commit. */
export class RunningReply {
  owner: Owner
  readonly abort = new AbortController()
  /** When its source should gather more. */
  readonly pace = new Turns()
  /** Whether somebody else could go on with it. */
  isResumable = false
  /** Whether frames may be on disk that are not known to be. */
  isUncertain = false
  /** When its lease runs out, as `Date.now()` tells time, which goes on while a machine sleeps. */
  heldUntil = Number.NEGATIVE_INFINITY
  /** Whether its terminal frame may be on disk. */
  isEnding = false
  private committed: Frame[]
  private waiting: Frame[] = []
  private committing: Frame[] = []
  private nextSeq: number
  private heldSurrogate = ''
  private isGivenUp = false
  private wakeWriter: (() => void) | null = null
  waitingLength = 0
  /** When its next commit is due, as `performance.now()` tells time; the committer's to set. */
  turnAt = Number.NEGATIVE_INFINITY

  constructor(owner: Owner, committed: Frame[] = []) {
    this.owner = owner
    this.committed = committed
    this.nextSeq = committed.length
    this.abort.signal.addEventListener('abort', () => this.wakeWriter?.())
  }

  end(reason: EndReason): void {
    this.abort.abort(reason)
  }

  /**
   * Adds to what waits; what comes between two commits becomes one frame. `cursor` numbers the last upstream event in
   * the piece. Returns false if there was nothing to add, or the reply was given up: after frames that are missing none
   * may come.
   */
  add(type: DeltaType, piece: string, cursor?: number): boolean {
    const text = this.takeWhole(piece)
    if (text === '' || this.isGivenUp) return false
    let rest = text
    while (rest.length > maxFrameLength) {
      const end = isHighSurrogate(rest, maxFrameLength - 1) ? maxFrameLength - 1 : maxFrameLength
      this.put(type, rest.slice(0, end))
      rest = rest.slice(end)
    }
    const frame = this.put(type, rest)
    if (cursor !== undefined && this.heldSurrogate === '') frame.cursor = cursor
    this.waitingLength += text.length
    return true
  }

  /** Adds to the newest frame that waits, or begins one. */
  private put(type: DeltaType, text: string): Frame {
    const newest = this.waiting.at(-1)
    if (newest?.type === type && newest.text.length + text.length <= maxFrameLength) {
      newest.text += text
      // With more in it than the event of its number, it would be told twice after a crash.
      if (newest.cursor !== undefined) delete newest.cursor
      return newest
    }
    const frame: Frame = { seq: this.nextSeq++, type, text }
    this.waiting.push(frame)
    return frame
  }

  /** A character that came in two halves can be stored only whole. */
  private takeWhole(piece: string): string {
    let text = this.heldSurrogate === '' ? piece : this.heldSurrogate + piece
    this.heldSurrogate = ''
    if (isHighSurrogate(text, text.length - 1)) {
      this.heldSurrogate = text.slice(-1)
      text = text.slice(0, -1)
    }
    return makeStorable(text)
  }

  /** No more will come: half a character that is still held was never whole. */
  endText(): void {
    if (this.heldSurrogate === '') return
    this.heldSurrogate = ''
    this.add('text', '\ufffd')
  }

  /** Frames for the next commit; the same ones again until they are committed. */
  takeForCommit(): Frame[] {
    if (this.committing.length === 0) {
      this.committing = this.waiting
      this.waiting = []
      this.waitingLength = 0
    }
    return this.committing
  }

  /** The frames taken last are on disk now. Returns them. */
  markCommitted(): Frame[] {
    const frames = this.committing
    this.committing = []
    for (const frame of frames) this.committed.push(frame)
    this.wakeWriter?.()
    return frames
  }

  /** Forgets what could not be committed, and takes nothing more; nobody has seen it. */
  discard(): void {
    this.isGivenUp = true
    this.waiting = []
    this.committing = []
    this.waitingLength = 0
    this.isUncertain = true
    this.wakeWriter?.()
  }

  /** What is on disk after all, and will stay so under this epoch. */
  trust(owner: Owner, committed: Frame[]): void {
    this.owner = owner
    this.committed = committed
    this.nextSeq = committed.length
    this.isUncertain = false
  }

  get hasCommitted(): boolean {
    return this.committed.length > 0
  }

  get isSettled(): boolean {
    return this.waiting.length === 0 && this.committing.length === 0
  }

  /** Whether the source is so far ahead of the disk that it has to wait. */
  get isFull(): boolean {
    return this.waitingLength > maxWaitingLength && !this.abort.signal.aborted
  }

  /** Waits until the disk has caught up with the source, or the reply is to end. */
  async room(): Promise<void> {
    while (this.isFull) {
      await new Promise<void>((resolve) => {
        this.wakeWriter = resolve
      })
    }
  }

  /** Seq of the newest frame on disk, -1 for none. */
  get lastSeq(): number {
    return this.committed.length - 1
  }

  /**
   * The next page of committed frames after `after`; null where only the log knows: what is committed is uncertain, or
   * the reply is ending, here or under another writer.
   */
  committedAfter(after: number): Frame[] | null {
    if (this.isUncertain || this.isEnding || this.abort.signal.aborted) return null
    const frames: Frame[] = []
    let length = 0
    for (let seq = after + 1; seq < this.committed.length && frames.length < page.frames; seq++) {
      const frame = this.committed[seq]
      if (!frame || length >= page.length) break
      frames.push(frame)
      length += frame.text.length
    }
    return frames
  }

  /** Seq of the terminal frame. */
  get terminalSeq(): number {
    return this.nextSeq
  }

  /** The message's parts, of what is committed. */
  get parts(): MessagePart[] {
    return foldParts(this.committed)
  }
}
