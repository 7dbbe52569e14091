import type { MessagePart } from '../contracts/conversations'
import { type DeltaType, type Frame, foldParts } from './frame'

/** Frames that wait for the disk may hold this many characters; then the source has to wait too. */
const maxWaitingLength = 256 * 1024

/** A reply that this process is writing: what was said, what is committed, and what waits for the next commit. */
export class RunningReply {
  readonly replyId: string
  readonly epoch: number
  readonly abort = new AbortController()
  private readonly deltas: Frame[] = []
  private waiting: Frame[] = []
  private committing: Frame[] = []
  private nextSeq = 0
  private heldSurrogate = ''
  private wakeWriter: (() => void) | null = null
  waitingLength = 0

  constructor(replyId: string, epoch: number) {
    this.replyId = replyId
    this.epoch = epoch
  }

  /** Adds to what waits; what comes between two commits becomes one frame. Returns false if there was nothing to add. */
  add(type: DeltaType, piece: string): boolean {
    const text = this.makeStorable(piece)
    if (text === '') return false
    const last = this.waiting.at(-1)
    if (last?.type === type) last.text += text
    else this.waiting.push({ seq: this.nextSeq++, type, text })
    this.waitingLength += text.length
    return true
  }

  /** Postgres has no U+0000, and a character that came in two halves can be stored only whole. */
  private makeStorable(piece: string): string {
    let text = (this.heldSurrogate + piece).replaceAll('\u0000', '\ufffd')
    this.heldSurrogate = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : ''
    if (this.heldSurrogate) text = text.slice(0, -1)
    return text.toWellFormed()
  }

  /** No more will come: half a character that is still held was never whole. Returns whether that added something. */
  endText(): boolean {
    if (!this.heldSurrogate) return false
    this.heldSurrogate = ''
    return this.add('text', '\ufffd')
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
    this.deltas.push(...frames)
    this.wakeWriter?.()
    return frames
  }

  /** Forgets what could not be committed; nobody has seen it. */
  discard(): void {
    this.waiting = []
    this.committing = []
    this.waitingLength = 0
    this.nextSeq = (this.deltas.at(-1)?.seq ?? -1) + 1
    this.wakeWriter?.()
  }

  get isSettled(): boolean {
    return this.waiting.length === 0 && this.committing.length === 0
  }

  /** Waits until the disk has caught up with the source, or the reply is to end. */
  async room(): Promise<void> {
    while (this.waitingLength > maxWaitingLength && !this.abort.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wakeWriter = resolve
        this.abort.signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }

  /** Seq of the terminal frame. */
  get terminalSeq(): number {
    return this.nextSeq
  }

  /** The message's parts, of what is committed. */
  get parts(): MessagePart[] {
    return foldParts(this.deltas)
  }
}
