import type { TokenUsage } from '../contracts/conversations'
import type { AppError } from '../errors'
import type { AnswerSink, Finish, ModelEvent } from './port'

/** The longest answer that is taken, in bytes of UTF-8, reasoning included. */
const maxAnswerBytes = 10 * 1024 * 1024

/** More than this unread (UTF-16 units), and the source is asked to pause. */
const roomyUnits = 65536

type Kind = 'text' | 'reasoning'
type Source = { open(): void; pause(): void; resume(): void; close(): void }
type Waiter = { resolve(result: IteratorResult<ModelEvent>): void; reject(reason: unknown): void }

const over: IteratorResult<ModelEvent> = { done: true, value: undefined }

const isFirstHalf = (unit: number) => unit >= 0xd800 && unit <= 0xdbff
const isSecondHalf = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff

/** What cannot be stored (U+0000, lone halves of characters) becomes U+FFFD here, once for everyone. */
function storable(piece: string): string {
  return piece.includes('\0') ? piece.replaceAll('\0', '\ufffd').toWellFormed() : piece.toWellFormed()
}

/**
 * Where an answer waits to be read: pieces that came since the last reading leave as one event, so a reader that
 * takes its time (a commit every few milliseconds) pays once for many tokens. A full box pauses the source.
 */
export class Outbox implements AnswerSink, AsyncIterableIterator<ModelEvent> {
  #waiting: ModelEvent[] = []
  #units = 0
  #bytes = 0
  /** Pieces that end within a character, which escapes in JSON can do: kept whole, as a cursor covers whole pieces. */
  #held: string[] = []
  #heldKind: Kind = 'text'
  #heldCursor: number | undefined
  #waiter: Waiter | null = null
  #failure: { reason: unknown } | null = null
  #state: 'idle' | 'open' | 'full' | 'over' = 'idle'
  readonly #source: Source
  readonly #tooLong: () => AppError

  constructor(source: Source, tooLong: () => AppError) {
    this.#source = source
    this.#tooLong = tooLong
  }

  /** True once any of the answer has come. */
  get began(): boolean {
    return this.#bytes > 0
  }

  /** Bytes of the answer so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** The source should give nothing now. */
  get isFull(): boolean {
    return this.#state === 'full'
  }

  resumable(responseId: string): void {
    if (this.#state !== 'over') this.#waiting.push({ type: 'resumable', responseId })
  }

  text(piece: string, cursor?: number): void {
    this.#put('text', piece, cursor)
  }

  reasoning(piece: string, cursor?: number): void {
    this.#put('reasoning', piece, cursor)
  }

  done(usage: TokenUsage | null, finish: Finish): void {
    if (this.#state === 'over') return
    this.#release()
    this.#waiting.push({ type: 'done', usage, finish })
    this.#state = 'over'
  }

  /** Ends with an error after what has come was read. Only the first end counts. */
  fail(reason: unknown): void {
    if (this.#state === 'over') return
    // Whoever resumed after half a character would get the other half alone.
    this.#heldCursor = undefined
    if (this.#fits(storable(this.#held.join('')))) this.#release()
    this.#held = []
    this.#failure = { reason }
    this.#state = 'over'
    this.flush()
  }

  /** Ends with an error at once; what was not read is dropped. */
  abort(reason: unknown): void {
    if (this.#state === 'over' && this.#waiting.length === 0) return
    this.#waiting = []
    this.#failure = { reason }
    this.#state = 'over'
    this.flush()
  }

  /** Hands what has come to a reader that waits; called once for each chunk from the network. */
  flush(): void {
    const waiter = this.#waiter
    if (waiter === null) {
      if (this.#units > roomyUnits && this.#state === 'open') {
        this.#state = 'full'
        this.#source.pause()
      }
      return
    }
    const event = this.#take()
    if (event === undefined && this.#state !== 'over') return
    this.#waiter = null
    if (event !== undefined) waiter.resolve({ done: false, value: event })
    else this.#finish(waiter)
  }

  next(): Promise<IteratorResult<ModelEvent>> {
    if (this.#state === 'idle') {
      this.#state = 'open'
      this.#source.open()
    }
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject }
      this.flush()
    })
  }

  return(): Promise<IteratorResult<ModelEvent>> {
    this.#state = 'over'
    this.#waiting = []
    this.#failure = null
    this.#source.close()
    return Promise.resolve(over)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #take(): ModelEvent | undefined {
    const event = this.#waiting.shift()
    if (event === undefined || !('text' in event)) return event
    this.#units -= event.text.length
    if (this.#state === 'full' && this.#units <= roomyUnits) {
      this.#state = 'open'
      this.#source.resume()
    }
    return event
  }

  #finish(waiter: Waiter): void {
    const failure = this.#failure
    this.#failure = null
    if (failure === null) waiter.resolve(over)
    else waiter.reject(failure.reason)
  }

  #put(kind: Kind, piece: string, cursor: number | undefined): void {
    if (piece === '' || this.#state === 'over') return
    if (this.#held.length > 0 && !(kind === this.#heldKind && isSecondHalf(piece.charCodeAt(0))))
      this.#release()
    const isCut = isFirstHalf(piece.charCodeAt(piece.length - 1))
    if (!isCut && this.#held.length === 0) {
      this.#append(kind, piece, cursor)
      return
    }
    this.#held.push(piece)
    this.#heldKind = kind
    this.#heldCursor = cursor
    if (!isCut) this.#release()
  }

  #release(): void {
    const piece = this.#held.join('')
    this.#held = []
    if (piece !== '') this.#append(this.#heldKind, piece, this.#heldCursor)
  }

  #fits(text: string): boolean {
    return this.#bytes + Buffer.byteLength(text) <= maxAnswerBytes
  }

  #append(kind: Kind, piece: string, cursor: number | undefined): void {
    const text = storable(piece)
    const bytes = this.#bytes + Buffer.byteLength(text)
    if (bytes > maxAnswerBytes) throw this.#tooLong()
    this.#bytes = bytes
    this.#units += text.length
    const latest = this.#waiting.at(-1)
    // A cursor covers all of its event, so what has none stands apart.
    const joins = latest?.type === kind && (cursor !== undefined || latest.cursor === undefined)
    if (!joins) this.#waiting.push(cursor === undefined ? { type: kind, text } : { type: kind, text, cursor })
    else {
      latest.text += text
      if (cursor !== undefined) latest.cursor = cursor
    }
  }
}
