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

/**
 * Where an answer waits to be read: pieces that came since the last reading leave as one event, so a reader that
 * takes its time (a commit every few milliseconds) pays once for many tokens. A full box pauses the source.
 */
export class Outbox implements AnswerSink, AsyncIterableIterator<ModelEvent> {
  #waiting: ModelEvent[] = []
  #units = 0
  #bytes = 0
  /** The first half of a character that was cut in two by escapes in JSON. */
  #half = ''
  #halfKind: Kind = 'text'
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

  text(piece: string): void {
    this.#put('text', piece)
  }

  reasoning(piece: string): void {
    this.#put('reasoning', piece)
  }

  done(usage: TokenUsage | null, finish: Finish): void {
    if (this.#state === 'over') return
    this.#endHalf()
    this.#waiting.push({ type: 'done', usage, finish })
    this.#state = 'over'
  }

  /** Ends with an error after what has come was read. Only the first end counts. */
  fail(reason: unknown): void {
    if (this.#state === 'over') return
    this.#endHalf()
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
    if (event === undefined || event.type === 'done') return event
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

  #put(kind: Kind, piece: string): void {
    if (piece === '' || this.#state === 'over') return
    if (this.#half !== '' && this.#halfKind !== kind) this.#endHalf()
    const whole = this.#half + piece
    const last = whole.charCodeAt(whole.length - 1)
    const isCut = last >= 0xd800 && last <= 0xdbff
    this.#half = isCut ? whole.slice(-1) : ''
    this.#halfKind = kind
    this.#append(kind, isCut ? whole.slice(0, -1) : whole)
  }

  #endHalf(): void {
    const half = this.#half
    this.#half = ''
    if (half !== '') this.#append(this.#halfKind, half)
  }

  /** What cannot be stored (U+0000, lone halves of characters) becomes U+FFFD here, once for everyone. */
  #append(kind: Kind, piece: string): void {
    if (piece === '') return
    const text = piece.includes('\0') ? piece.replaceAll('\0', '\ufffd').toWellFormed() : piece.toWellFormed()
    const bytes = this.#bytes + Buffer.byteLength(text)
    if (bytes > maxAnswerBytes) throw this.#tooLong()
    this.#bytes = bytes
    this.#units += text.length
    const latest = this.#waiting.at(-1)
    if (latest?.type === kind) latest.text += text
    else this.#waiting.push({ type: kind, text })
  }
}
