import { asAppError } from '../errors'
import { EventCutter } from './events'
import { explainFault, readFault } from './faults'
import { parseJson } from './json'
import {
  endedEarly,
  explainBreak,
  explainExpiry,
  oversized,
  type Progress,
  redirected,
  unsendableKey,
  wrongType,
} from './mishaps'
import { Outbox } from './outbox'
import type { AnswerReader, Dialect, ModelCall, ModelEvent } from './port'
import { codeOf, Upstream, type UpstreamHead, type UpstreamListener } from './upstream'
import type { Expired } from './watchdog'

/** As much of an error's body is read. */
const maxFaultBytes = 65536
/** As many bytes may come without a piece of answer among them: comments, empty deltas, unknown events. */
const maxSilentBytes = 64 * 1024 * 1024

/** One streamed answer, from the bytes on the wire to the events that its one reader pulls. */
class Answer implements UpstreamListener {
  readonly outbox: Outbox
  readonly #call: ModelCall
  readonly #upstream: Upstream
  readonly #reader: AnswerReader
  readonly #cutter: EventCutter
  #head: UpstreamHead | undefined
  #isStream = false
  #fault = Buffer.alloc(0)
  #silentBytes = 0
  #isOver = false

  constructor(call: ModelCall, dialect: Dialect) {
    this.#call = call
    this.#upstream = new Upstream(
      {
        key: call.key,
        path: dialect.path,
        body: JSON.stringify(dialect.requestBody(call)),
        accept: 'text/event-stream',
        timeouts: call.timeouts,
      },
      this,
    )
    const source = {
      open: () => this.#open(),
      pause: () => this.#upstream.pause(),
      resume: () => this.#upstream.resume(),
      close: () => this.#stop(),
    }
    this.outbox = new Outbox(source, () => oversized(this.#progress, 'answer'))
    const sink = {
      text: (piece: string) => this.outbox.text(piece),
      reasoning: (piece: string) => this.outbox.reasoning(piece),
      done: (...end: Parameters<Outbox['done']>) => this.#complete(...end),
    }
    this.#reader = dialect.openReader(call, sink)
    this.#cutter = new EventCutter(
      (data) => this.#reader.read(data),
      () => oversized(this.#progress, 'event'),
    )
  }

  head(head: UpstreamHead): void {
    this.#head = head
    if (head.status >= 300 && head.status < 400) throw redirected(this.#call)
    if (head.status !== 200) return
    const type = head.headers['content-type'] ?? 'text/event-stream'
    this.#isStream = /^text\/event-stream\b/i.test(type)
    // JSON with status 200 may be an error that says so only inside.
    if (!this.#isStream && !/^application\/json\b/i.test(type)) throw wrongType(this.#call, type)
  }

  chunk(bytes: Buffer): void {
    if (this.#isStream) this.#readOn(bytes)
    else this.#collect(bytes)
  }

  end(): void {
    if (this.#isStream) this.#endStream()
    else this.#failWith(this.#explainHead())
  }

  fail(error: Error): void {
    if (error.name === 'AppError') this.#failWith(error)
    else this.#giveUp(() => explainBreak(this.#progress, error))
  }

  expire(what: Expired): void {
    this.#giveUp(() => explainExpiry(this.#progress, what, this.#call.timeouts))
  }

  get #progress(): Progress {
    return { key: this.#call.key, model: this.#call.model, began: this.outbox.began }
  }

  #readOn(bytes: Buffer): void {
    const before = this.outbox.bytes
    this.#cutter.push(bytes)
    this.#silentBytes = this.outbox.bytes > before ? 0 : this.#silentBytes + bytes.length
    if (this.#silentBytes > maxSilentBytes) throw oversized(this.#progress, 'event')
    this.outbox.flush()
  }

  #endStream(): void {
    try {
      this.#cutter.end()
      this.#giveUp(() => endedEarly(this.#progress))
    } catch (error) {
      this.#failWith(asAppError(error))
    }
  }

  #open(): void {
    const { signal } = this.#call
    if (signal.aborted) {
      this.#abort()
      return
    }
    signal.addEventListener('abort', this.#abort, { once: true })
    try {
      this.#upstream.open()
    } catch (error) {
      this.#stop()
      this.#failWith(codeOf(error) === 'ERR_INVALID_CHAR' ? unsendableKey(this.#call) : asAppError(error))
    }
  }

  readonly #abort = (): void => {
    this.#stop()
    this.outbox.abort(this.#call.signal.reason)
  }

  #stop(): void {
    this.#isOver = true
    this.#call.signal.removeEventListener('abort', this.#abort)
    this.#upstream.close()
  }

  #complete(...end: Parameters<Outbox['done']>): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#call.signal.removeEventListener('abort', this.#abort)
    this.outbox.done(...end)
    this.outbox.flush()
    this.#upstream.release()
  }

  /** The call is over for a reason that is no fault if the answer happens to be whole. */
  #giveUp(explain: () => Error): void {
    if (this.#head !== undefined && !this.#isStream) this.#failWith(this.#explainHead())
    else if (!this.#reader.end()) this.#failWith(explain())
  }

  #failWith(error: Error): void {
    this.#stop()
    this.outbox.fail(error)
  }

  #collect(bytes: Buffer): void {
    this.#fault = Buffer.concat([this.#fault, bytes])
    if (this.#fault.length > maxFaultBytes) throw this.#explainHead()
  }

  #explainHead(): Error {
    const { status, headers } = this.#head ?? { status: 0, headers: {} }
    const body = parseJson(this.#fault.toString())
    const fault = readFault(body, status === 200 ? null : status)
    if (status === 200 && fault.message === null && fault.code === null)
      return wrongType(this.#call, 'application/json')
    return explainFault(this.#call, { ...fault, retryAfterSeconds: retryAfter(headers) })
  }
}

/** Seconds to wait, from `retry-after-ms` or `retry-after` (seconds or a date), at most a day. */
export function retryAfter(headers: UpstreamHead['headers']): number | undefined {
  const ms = Number(headers['retry-after-ms'] ?? Number.NaN)
  const word = headers['retry-after'] ?? ''
  const seconds = word.trim() === '' ? Number.NaN : Number(word)
  const until = Number.isNaN(seconds) ? (Date.parse(word) - Date.now()) / 1000 : seconds
  const wait = Number.isNaN(ms) ? until : ms / 1000
  return wait >= 0 && wait <= 86_400 ? Math.ceil(wait) : undefined
}

/** Asks a model server when the iteration begins, and streams what it says. */
export function askServer(call: ModelCall, dialect: Dialect): AsyncIterable<ModelEvent> {
  return { [Symbol.asyncIterator]: () => new Answer(call, dialect).outbox }
}
