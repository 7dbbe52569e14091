import type { IncomingHttpHeaders } from 'node:http'
import { AppError, asAppError } from '../errors'
import { explainBreak, explainExpiry, type Progress, redirected, unsendableKey } from './mishaps'
import type { ModelKey, ProviderTimeouts } from './port'
import { atNextTurn } from './turns'
import { codeOf, type StreamedBody, Upstream, type UpstreamHead, type UpstreamListener } from './upstream'
import type { Expired } from './watchdog'

/** A call that is passed on as it is, but for the key. */
export type ForwardCall = {
  key: ModelKey
  method: 'GET' | 'POST' | 'DELETE'
  /** Below the key's base URL, with the query, such as `/files?limit=2`. */
  path: string
  headers: Record<string, string>
  body?: Uint8Array | StreamedBody
  timeouts: ProviderTimeouts
  signal: AbortSignal
  /** Sees what passes, and is told once how it ended. What it throws ends the call. */
  tap: Tap
}

type Tap = {
  /** True for the last piece: then nobody waits a turn for the end. */
  chunk(bytes: Uint8Array): boolean
  /** `whole`: the server said all. `left`: the reader went away. `broken`: the server did. */
  over(how: 'whole' | 'left' | 'broken'): void
  /** What a stream that broke ends with, so that its reader is told why; null: its connection is cut. */
  lastWords?(error: AppError): Uint8Array | null
  /** What of an answer below 400 must not be read as it came. */
  hiding?(isStream: boolean): Hiding
}

/** Rewrites what passes, after the tap has seen it as it came. May hold some of it back until more comes. */
type Hiding = { take(bytes: Buffer): Buffer; end(): Buffer }

/** A model server's own answer. Its body is there as it comes, and closes the connection when it is cancelled. */
export type Forwarded = { status: number; headers: IncomingHttpHeaders; body: ReadableStream<Uint8Array> }

type Settle = { resolve(answer: Forwarded): void; reject(error: unknown): void }

/** So many pieces of a stream are passed on at once, before it takes turns: first words do not wait. */
const eagerPieces = 8
/** What comes after so long a silence are first words again, as after a model has thought. */
const silenceMs = 200

/** One call on its way through. Between turns the server is not read from, so that tokens travel together. */
class Passage implements UpstreamListener {
  readonly #call: ForwardCall
  readonly #settle: Settle
  readonly #upstream: Upstream
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  /** Set between turns: how to wait no longer. */
  #stopWaiting: (() => void) | null = null
  #eagerLeft = eagerPieces
  #listeningSince = 0
  /** What came in one reading of the connection: a chunk for each event, most of the time. */
  #gathered: Buffer[] = []
  #isWanted = false
  #isStream = false
  #hiding: Hiding | null = null
  #isOver = false

  constructor(call: ForwardCall, settle: Settle) {
    this.#call = call
    this.#settle = settle
    this.#upstream = new Upstream(
      {
        key: call.key,
        path: call.path,
        method: call.method,
        headers: call.headers,
        accept: call.headers.accept ?? '*/*',
        timeouts: call.timeouts,
        ...(call.body && { body: call.body }),
      },
      this,
    )
  }

  open(): void {
    const { signal } = this.#call
    if (signal.aborted) {
      this.#leave()
      return
    }
    signal.addEventListener('abort', this.#leave, { once: true })
    try {
      this.#upstream.open()
    } catch (error) {
      const isKey = codeOf(error) === 'ERR_INVALID_CHAR'
      this.#fail(isKey ? unsendableKey({ key: this.#call.key, model: null }) : asAppError(error))
    }
  }

  head({ status, headers }: UpstreamHead): void {
    if (status >= 300 && status < 400) throw redirected({ key: this.#call.key, model: null })
    const type = headers['content-type'] ?? ''
    this.#isStream = /^text\/event-stream\b/i.test(type)
    if (status < 400 && (this.#isStream || /^application\/(?:[\w.-]+\+)?json\b/i.test(type)))
      this.#hiding = this.#call.tap.hiding?.(this.#isStream) ?? null
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#want(),
        cancel: () => this.#leave(),
      },
      { highWaterMark: 0 },
    )
    this.#settle.resolve({ status, headers, body })
  }

  chunk(bytes: Buffer): void {
    if (this.#isOver) return
    this.#gathered.push(bytes)
    if (this.#gathered.length === 1) process.nextTick(this.#passGathered)
  }

  /** Passes on all that came at once: a pause after the first chunk would leave the others to a turn each. */
  readonly #passGathered = (): void => {
    if (this.#isOver || this.#gathered.length === 0) return
    const pieces = this.#gathered.splice(0)
    const [only] = pieces
    try {
      this.#pass(only && pieces.length === 1 ? only : Buffer.concat(pieces))
    } catch (error) {
      this.fail(error as Error)
    }
  }

  #pass(bytes: Buffer): void {
    const isLast = this.#call.tap.chunk(bytes)
    const told = this.#hiding?.take(bytes) ?? bytes
    // Of what is held back, the reader has nothing yet, and waits on.
    if (told.length === 0) return
    this.#isWanted = isLast
    if (!isLast) this.#upstream.pause()
    if (!isLast && this.#isStream && !this.#isEager()) this.#rest()
    this.#controller?.enqueue(told)
  }

  /** Passes on what was held back: nothing more comes. */
  #passHeld(): void {
    const rest = this.#hiding?.end()
    if (rest && rest.length > 0) this.#controller?.enqueue(rest)
  }

  /** Whether what came are first words. */
  #isEager(): boolean {
    if (performance.now() - this.#listeningSince > silenceMs) this.#eagerLeft = eagerPieces
    return this.#eagerLeft-- > 0
  }

  #rest(): void {
    this.#stopWaiting = atNextTurn(() => {
      this.#stopWaiting = null
      if (this.#isWanted) this.#listen()
    })
  }

  end(): void {
    this.#passGathered()
    if (!this.#end('whole')) return
    this.#passHeld()
    this.#controller?.close()
  }

  fail(error: Error): void {
    this.#fail(error instanceof AppError ? error : explainBreak(this.#progress, error))
  }

  expire(what: Expired): void {
    this.#fail(explainExpiry(this.#progress, what, this.#call.timeouts))
  }

  get #progress(): Progress {
    return { key: this.#call.key, model: null, began: this.#controller !== undefined }
  }

  /** The reader takes more: at the next turn it is read, or at once if that one has come. */
  #want(): void {
    this.#isWanted = true
    if (this.#stopWaiting === null && !this.#isOver) this.#listen()
  }

  #listen(): void {
    this.#listeningSince = performance.now()
    this.#upstream.resume()
  }

  readonly #leave = (): void => {
    if (!this.#end('left')) return
    this.#upstream.close()
    this.#settle.reject(this.#call.signal.reason)
    // Whoever cancelled the body hears no more of it; but a reader may have to leave who would stay.
    this.#controller?.error(this.#call.signal.reason)
  }

  #fail(error: Error): void {
    this.#passGathered()
    if (!this.#end('broken')) return
    this.#passHeld()
    this.#upstream.close()
    this.#settle.reject(error)
    const words = this.#isStream ? this.#call.tap.lastWords?.(asAppError(error)) : null
    if (!words) this.#controller?.error(error)
    else {
      this.#controller?.enqueue(words)
      this.#controller?.close()
    }
  }

  #end(how: 'whole' | 'left' | 'broken'): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.#stopWaiting?.()
    this.#call.signal.removeEventListener('abort', this.#leave)
    this.#call.tap.over(how)
    return true
  }
}

/**
 * Passes a call on to the key's own server and gives back what that answers, whatever its status. Redirects are not
 * followed. Throws provider_failed, provider_timeout or provider_auth before the answer begins; a body that breaks
 * later errors with the same. After `signal` aborts, throws its reason.
 */
export function forwardCall(call: ForwardCall): Promise<Forwarded> {
  return new Promise((resolve, reject) => new Passage(call, { resolve, reject }).open())
}
