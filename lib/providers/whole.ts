import { AppError, asAppError } from '../errors'
import { retryAfter } from './delivery'
import { explainFault, readFault } from './faults'
import { parseJson } from './json'
import { explainBreak, explainExpiry, oversized, type Progress, redirected, unsendableKey } from './mishaps'
import { codeOf, Upstream, type UpstreamCall, type UpstreamHead, type UpstreamListener } from './upstream'
import type { Expired } from './watchdog'

const maxBodyBytes = 16 * 1024 * 1024

/** An answer that is no stream: its status, its body, and what an error in it means for the person who asked. */
export type Whole = { status: number; text: string; explain(): AppError }
type Settle = { resolve(whole: Whole): void; reject(error: unknown): void }

/** Reads a whole body, once. */
class Reading implements UpstreamListener {
  readonly #call: UpstreamCall
  readonly #settle: Settle
  #head: UpstreamHead = { status: 0, headers: {} }
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(call: UpstreamCall, settle: Settle) {
    this.#call = call
    this.#settle = settle
  }

  get #progress(): Progress {
    return { key: this.#call.key, model: null, began: false }
  }

  head(head: UpstreamHead): void {
    this.#head = head
    if (head.status >= 300 && head.status < 400) throw redirected(this.#progress)
  }

  chunk(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (this.#bytes > maxBodyBytes) throw oversized(this.#progress, 'event')
    this.#chunks.push(bytes)
  }

  end(): void {
    const text = Buffer.concat(this.#chunks).toString()
    const { status, headers } = this.#head
    const explain = () => {
      const fault = readFault(parseJson(text), status)
      return explainFault(this.#progress, { ...fault, retryAfterSeconds: retryAfter(headers) })
    }
    this.#settle.resolve({ status, text, explain })
  }

  fail(error: Error): void {
    this.#settle.reject(error instanceof AppError ? error : explainBreak(this.#progress, error))
  }

  expire(what: Expired): void {
    this.#settle.reject(explainExpiry(this.#progress, what, this.#call.timeouts))
  }
}

/** Makes one call and reads its whole answer, 16 MB at most; throws as a call to a model does, but not for a status. */
export function fetchWhole(call: UpstreamCall, signal?: AbortSignal): Promise<Whole> {
  return new Promise((resolve, reject) => {
    const upstream = new Upstream(call, new Reading(call, { resolve, reject }))
    const abort = () => {
      upstream.close()
      reject(signal?.reason)
    }
    if (signal?.aborted) return abort()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      upstream.open()
    } catch (error) {
      upstream.close()
      const isKey = codeOf(error) === 'ERR_INVALID_CHAR'
      reject(isKey ? unsendableKey({ key: call.key, model: null }) : asAppError(error))
    }
  })
}
