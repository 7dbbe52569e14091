import { asAppError } from '../errors'
import { pathOfResponse } from './bookmark'
import { Delivery, type Recipient } from './delivery'
import type { Fault } from './faults'
import { explainExpiry, forgotten, oversized, type Progress, unsendableKey } from './mishaps'
import { Outbox } from './outbox'
import type { AnswerReader, Dialect, ModelCall, ModelEvent, Place } from './port'
import { Recovery } from './recovery'
import { codeOf, Upstream, type UpstreamCall, type UpstreamListener } from './upstream'

/** As many bytes may come without a piece of answer among them: comments, empty deltas, unknown events. */
const maxSilentBytes = 64 * 1024 * 1024

/** What an answer needs of a connection. */
export type Connection = Pick<Upstream, 'open' | 'pause' | 'resume' | 'close' | 'release'>
export type Connect = (call: UpstreamCall, listener: UpstreamListener) => Connection

const connectByHttp: Connect = (call, listener) => new Upstream(call, listener)

/** One streamed answer: from the call that goes out, over one connection or several, to what its one reader pulls. */
export class Answer implements Recipient {
  readonly outbox: Outbox
  readonly #dialect: Dialect
  readonly #connect: Connect
  readonly #recovery = new Recovery()
  #call: ModelCall
  #reader: AnswerReader
  #connection: Connection | undefined
  /** Where the present connection resumes the answer; null where it asks for it. */
  #place: Place | null = null
  #startedAt = 0
  #silentBytes = 0
  #answerBytes = 0
  #isOver = false
  #isHeld = false
  #unpace = () => {}

  constructor(call: ModelCall, dialect: Dialect, connect: Connect = connectByHttp) {
    this.#call = call
    this.#dialect = dialect
    this.#connect = connect
    const source = {
      open: () => this.#open(),
      pause: () => this.#hold(),
      resume: () => this.#hold(),
      close: () => this.#stop(),
    }
    this.outbox = new Outbox(source, () => oversized(this.progress, 'answer'))
    this.#reader = this.#openReader()
  }

  get call(): ModelCall {
    return this.#call
  }

  get progress(): Progress {
    const { key, model, resume } = this.#call
    return { key, model, began: this.outbox.began || resume?.began === true }
  }

  begin(): void {
    this.#isHeld = false
    this.#hold()
  }

  /** Reads on only while the reader takes more, and has room for it. */
  #hold(): void {
    const isHeld = this.outbox.isFull || this.#call.pace?.isTurn === false
    if (isHeld === this.#isHeld) return
    this.#isHeld = isHeld
    if (isHeld) this.#connection?.pause()
    else this.#connection?.resume()
  }

  event(data: string): void {
    this.#reader.read(data)
  }

  chunkRead(bytes: number): void {
    const { outbox } = this
    this.#silentBytes = outbox.bytes > this.#answerBytes ? 0 : this.#silentBytes + bytes
    this.#answerBytes = outbox.bytes
    if (this.#silentBytes > maxSilentBytes) throw oversized(this.progress, 'event')
    if (this.#recovery.isUnderWay && this.#hasAdvanced()) this.#recovery.succeed()
    outbox.flush()
  }

  refused(error: Error, fault: Fault | null): void {
    if (this.#place === null && this.#call.background && isAboutBackground(fault)) this.#askPlainly()
    else if (this.#place === null) this.failed(error)
    else if (isPassing(fault)) this.#resumeLater(error, this.#place)
    else this.failed(this.#recovery.cause ?? (isGone(fault) ? forgotten(this.#call) : error))
  }

  broken(explain: () => Error, isFinal: boolean): void {
    if (this.#reader.end()) return
    const place = isFinal ? null : (this.#reader.resumePoint() ?? this.#place)
    if (place === null) this.failed(explain())
    else this.#resumeLater(explain(), place)
  }

  failed(error: Error): void {
    this.#stop()
    this.outbox.fail(error)
  }

  #openReader(): AnswerReader {
    const { outbox } = this
    return this.#dialect.openReader(this.#call, {
      resumable: (responseId) => outbox.resumable(responseId),
      text: (piece, cursor) => outbox.text(piece, cursor),
      reasoning: (piece, cursor) => outbox.reasoning(piece, cursor),
      done: (...end) => this.#complete(...end),
    })
  }

  #open(): void {
    const { signal, resume } = this.#call
    if (signal.aborted) {
      this.#abort()
      return
    }
    signal.addEventListener('abort', this.#abort, { once: true })
    this.#unpace = this.#call.pace?.onChange(() => this.#hold()) ?? this.#unpace
    this.#startedAt = performance.now()
    this.#reach(resume ?? null)
  }

  /** Asks for the answer, or for the rest of it from a place on. */
  #reach(place: Place | null): void {
    this.#place = place
    const call = this.#callFor(place)
    if (call === null) {
      this.failed(forgotten(this.#call))
      return
    }
    this.#connection = this.#connect(call, new Delivery(this))
    try {
      this.#connection.open()
    } catch (error) {
      this.failed(codeOf(error) === 'ERR_INVALID_CHAR' ? unsendableKey(this.#call) : asAppError(error))
    }
  }

  #callFor(place: Place | null): UpstreamCall | null {
    const { key, timeouts } = this.#call
    const common = { key, accept: 'text/event-stream', timeouts: { ...timeouts, totalMs: this.#leftMs } }
    if (place === null) {
      return {
        ...common,
        path: this.#dialect.path,
        body: JSON.stringify(this.#dialect.requestBody(this.#call)),
      }
    }
    const path = pathOfResponse(place.responseId)
    const from = place.after < 0 ? '' : `&starting_after=${place.after}`
    return path === null ? null : { ...common, path: `${path}?stream=true${from}` }
  }

  get #leftMs(): number {
    return this.#call.timeouts.totalMs - (performance.now() - this.#startedAt)
  }

  #hasAdvanced(): boolean {
    return (this.#reader.resumePoint()?.after ?? -1) > (this.#place?.after ?? -1)
  }

  #resumeLater(cause: Error, place: Place): void {
    this.#connection?.close()
    const again = () => {
      if (this.#leftMs <= 0) this.failed(explainExpiry(this.progress, 'total', this.#call.timeouts))
      else this.#resumeAt(place)
    }
    if (!this.#recovery.tryAgain(cause, again, this.#leftMs)) this.failed(this.#recovery.cause ?? cause)
  }

  #resumeAt(place: Place): void {
    this.#reader.reopen()
    this.#reach(place)
  }

  /** For a server that knows no background: the answer then lives with its connection, as any other. */
  #askPlainly(): void {
    this.#connection?.close()
    this.#call = { ...this.#call, background: false }
    this.#reader = this.#openReader()
    this.#reach(null)
  }

  readonly #abort = (): void => {
    this.#stop()
    this.outbox.abort(this.#call.signal.reason)
  }

  #stop(): void {
    this.#leave()
    this.#connection?.close()
  }

  #leave(): void {
    this.#isOver = true
    this.#recovery.stop()
    this.#unpace()
    this.#call.signal.removeEventListener('abort', this.#abort)
  }

  #complete(...end: Parameters<Outbox['done']>): void {
    if (this.#isOver) return
    this.#leave()
    this.outbox.done(...end)
    this.outbox.flush()
    this.#connection?.release()
  }
}

/** The server takes no such request, be it that it knows no background or that it may store nothing. */
function isAboutBackground(fault: Fault | null): boolean {
  if (fault === null || (fault.status !== 400 && fault.status !== 422)) return false
  if (fault.param !== null) return fault.param === 'background' || fault.param === 'store'
  return fault.message === null || /\bbackground\b/i.test(fault.message)
}

/** Another try may succeed where this one did not. */
function isPassing(fault: Fault | null): boolean {
  const status = fault?.status ?? 0
  return status === 408 || status === 429 || status >= 500
}

function isGone(fault: Fault | null): boolean {
  return fault?.status === 404 || fault?.status === 400
}

/** Asks a model server when the iteration begins, and streams what it says. */
export function askServer(call: ModelCall, dialect: Dialect): AsyncIterable<ModelEvent> {
  return { [Symbol.asyncIterator]: () => new Answer(call, dialect).outbox }
}
