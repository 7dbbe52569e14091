import { EventCutter } from './events'
import { explainFault, type Fault, readFault } from './faults'
import { parseJson } from './json'
import {
  endedEarly,
  explainBreak,
  explainExpiry,
  oversized,
  type Progress,
  redirected,
  wrongType,
} from './mishaps'
import type { ModelCall } from './port'
import type { UpstreamHead, UpstreamListener } from './upstream'
import type { Expired } from './watchdog'

/** As much of an error's body is read. */
const maxFaultBytes = 65536

/** What the call that is delivered to is told. After one of the last three comes nothing more. */
export type Recipient = {
  readonly call: ModelCall
  readonly progress: Progress
  begin(): void
  event(data: string): void
  /** All events of a chunk of so many bytes were given. */
  chunkRead(bytes: number): void
  /** The server answers with something else than the stream. `fault` is null where it is no error by HTTP. */
  refused(error: Error, fault: Fault | null): void
  /** The connection is over, and it is not known whether the answer is. */
  broken(explain: () => Error, isFinal: boolean): void
  /** What came cannot be an answer, or is an error. */
  failed(error: Error): void
}

/** One HTTP answer of a model server, from the head to the data of its events. */
export class Delivery implements UpstreamListener {
  readonly #recipient: Recipient
  readonly #cutter: EventCutter
  #head: UpstreamHead | undefined
  #isStream = false
  #isRefusal = false
  #fault: Buffer[] = []
  #faultBytes = 0

  constructor(recipient: Recipient) {
    this.#recipient = recipient
    this.#cutter = new EventCutter(
      (data) => recipient.event(data),
      () => oversized(recipient.progress, 'event'),
    )
  }

  head(head: UpstreamHead): void {
    const { call } = this.#recipient
    this.#head = head
    this.#recipient.begin()
    this.#isRefusal = true
    if (head.status >= 300 && head.status < 400) throw redirected(call)
    if (head.status !== 200) return
    const type = head.headers['content-type'] ?? 'text/event-stream'
    this.#isStream = /^text\/event-stream\b/i.test(type)
    // JSON with status 200 may be an error that says so only inside.
    if (!this.#isStream && !/^application\/json\b/i.test(type)) throw wrongType(call, type)
    this.#isRefusal = !this.#isStream
  }

  chunk(bytes: Buffer): void {
    if (!this.#isStream) {
      this.#collect(bytes)
      return
    }
    this.#cutter.push(bytes)
    this.#recipient.chunkRead(bytes.length)
  }

  end(): void {
    if (this.#isRefusal) this.#refuse()
    else this.#endStream()
  }

  fail(error: Error): void {
    if (error.name !== 'AppError') this.#break(() => explainBreak(this.#recipient.progress, error))
    else if (this.#isRefusal) this.#recipient.refused(error, null)
    else this.#recipient.failed(error)
  }

  expire(what: Expired): void {
    const { progress, call } = this.#recipient
    this.#break(() => explainExpiry(progress, what, call.timeouts), what === 'total')
  }

  #endStream(): void {
    try {
      this.#cutter.end()
    } catch (error) {
      this.#recipient.failed(error as Error)
      return
    }
    this.#break(() => endedEarly(this.#recipient.progress))
  }

  #break(explain: () => Error, isFinal = false): void {
    if (this.#isRefusal) this.#refuse()
    else this.#recipient.broken(explain, isFinal)
  }

  #collect(bytes: Buffer): void {
    this.#fault.push(bytes)
    this.#faultBytes += bytes.length
    if (this.#faultBytes > maxFaultBytes) this.#refuse()
  }

  #refuse(): void {
    const { status, headers } = this.#head ?? { status: 0, headers: {} }
    const body = parseJson(Buffer.concat(this.#fault).toString())
    const fault = {
      ...readFault(body, status === 200 ? null : status),
      retryAfterSeconds: retryAfter(headers),
    }
    const isNone = status === 200 && fault.message === null && fault.code === null
    const { call } = this.#recipient
    this.#recipient.refused(isNone ? wrongType(call, 'application/json') : explainFault(call, fault), fault)
  }
}

/** Seconds to wait, from `retry-after-ms` or `retry-after` (seconds or a date), at most a day. */
export function retryAfter(headers: UpstreamHead['headers']): number | undefined {
  const waitMs = retryAfterMs(headers)
  return waitMs === null ? undefined : Math.ceil(waitMs / 1000)
}

const longestWaitMs = 86_400_000

/** Milliseconds to wait, from `retry-after-ms` or `retry-after` (seconds or a date); null where neither says, or over a day. */
export function retryAfterMs(headers: UpstreamHead['headers']): number | null {
  const ms = Number(headers['retry-after-ms'] ?? Number.NaN)
  const word = headers['retry-after'] ?? ''
  const seconds = word.trim() === '' ? Number.NaN : Number(word)
  const untilMs = Number.isNaN(seconds) ? Date.parse(word) - Date.now() : seconds * 1000
  const waitMs = Number.isNaN(ms) ? untilMs : ms
  return waitMs >= 0 && waitMs <= longestWaitMs ? waitMs : null
}
