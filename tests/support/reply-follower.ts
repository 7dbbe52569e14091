import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../lib/errors'
import { type Frame, isTerminal } from '../../lib/replies/frame'
import type { ReplyNode } from '../../lib/replies/node'
import type { Witness } from './reply-witness'

type Place = { replyId: string; isDeleted: () => boolean; witness: Witness; violate: (what: string) => void }

/** Somebody who reads a reply, on one node after the other, and goes on after the last frame that they have. */
export class Follower {
  readonly name: string
  readonly history: Frame[] = []
  readonly place: Place
  /** Pauses for so long after what it reads. */
  readonly readMs: number
  /** Where it follows, if it does. */
  node: ReplyNode | null = null
  private line: AbortController | null = null
  private reading = Promise.resolve()

  constructor(name: string, place: Place, readMs: number) {
    this.name = name
    this.place = place
    this.readMs = readMs
  }

  get last(): number {
    return this.history.at(-1)?.seq ?? -1
  }

  get hasEnded(): boolean {
    const last = this.history.at(-1)
    return last !== undefined && isTerminal(last)
  }

  /** It has been told that there is no such reply any more. */
  isGone = false

  get isConnected(): boolean {
    return this.line !== null
  }

  /** Hangs up; nothing that was on its way is seen. */
  leave(): void {
    this.line?.abort()
    this.line = null
    this.node = null
  }

  /** Follows on this node from the last frame seen, until the end or the line breaks. */
  connect(node: ReplyNode): void {
    this.leave()
    if (this.hasEnded) return
    const line = new AbortController()
    this.line = line
    this.node = node
    const before = this.reading
    this.reading = before.then(() => this.read(node, line))
  }

  /** Resolves when it reads nothing any more. */
  async settle(): Promise<void> {
    await this.reading
  }

  private async read(node: ReplyNode, line: AbortController): Promise<void> {
    try {
      for await (const frames of node.follow(this.place.replyId, this.last, line.signal)) {
        if (line.signal.aborted) return
        for (const frame of frames) await this.see(frame)
        if (this.readMs > 0) await sleep(this.readMs)
      }
      if (!line.signal.aborted && !this.hasEnded) this.place.violate(`${this.name} was left without an end`)
    } catch (error) {
      // The database being away breaks the line; anything else is no way to treat a reader.
      const code = error instanceof AppError ? error.code : 'unknown'
      this.isGone = code === 'not_found' && this.place.isDeleted()
      const isBad = code === 'conflict' || code === 'unknown' || code === 'not_found'
      if (isBad && !this.isGone && !line.signal.aborted)
        this.place.violate(`${this.name} was refused: ${error}`)
    } finally {
      if (this.line === line) this.leave()
    }
  }

  private async see(frame: Frame): Promise<void> {
    const { replyId, witness, violate } = this.place
    const isStored = witness.isCommitted(replyId, frame)
    if (this.hasEnded) violate(`${this.name} saw ${frame.type} ${frame.seq} after the end`)
    // A reply that is deleted at this moment may come folded, its text in one piece.
    if (frame.seq !== this.last + 1 && !this.place.isDeleted())
      violate(`${this.name} saw ${frame.seq} after ${this.last}`)
    this.history.push({ ...frame })
    if (!(await isStored) && !this.place.isDeleted())
      violate(`${this.name} saw ${frame.type} ${frame.seq} before it was committed`)
  }
}
