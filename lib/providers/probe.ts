import { AppError, asAppError } from '../errors'
import { retryAfter } from './answer'
import { explainFault, providerError, providerName, readFault } from './faults'
import { listAt, parseJson } from './json'
import { explainBreak, explainExpiry, oversized, redirected, unsendableKey } from './mishaps'
import type { ModelKey } from './port'
import { codeOf, Upstream, type UpstreamHead, type UpstreamListener } from './upstream'
import type { Expired } from './watchdog'

const timeouts = { connectMs: 10_000, firstByteMs: 15_000, idleMs: 10_000, totalMs: 30_000 }
const maxListBytes = 16 * 1024 * 1024

type Settle = { resolve(body: string): void; reject(error: unknown): void }

/** Reads a whole JSON body, once. */
class Listing implements UpstreamListener {
  readonly #key: ModelKey
  readonly #settle: Settle
  #head: UpstreamHead = { status: 0, headers: {} }
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(key: ModelKey, settle: Settle) {
    this.#key = key
    this.#settle = settle
  }

  get #progress() {
    return { key: this.#key, model: null, began: false }
  }

  head(head: UpstreamHead): void {
    this.#head = head
    if (head.status >= 300 && head.status < 400) throw redirected(this.#progress)
  }

  chunk(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (this.#bytes > maxListBytes) throw oversized(this.#progress, 'event')
    this.#chunks.push(bytes)
  }

  end(): void {
    const text = Buffer.concat(this.#chunks).toString()
    const { status, headers } = this.#head
    if (status === 200) {
      this.#settle.resolve(text)
      return
    }
    const fault = readFault(parseJson(text), status)
    this.#settle.reject(explainFault(this.#progress, { ...fault, retryAfterSeconds: retryAfter(headers) }))
  }

  fail(error: Error): void {
    this.#settle.reject(error instanceof AppError ? error : explainBreak(this.#progress, error))
  }

  expire(what: Expired): void {
    this.#settle.reject(explainExpiry(this.#progress, what, timeouts))
  }
}

function fetchListing(key: ModelKey, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = { key, path: '/models', accept: 'application/json', timeouts }
    const upstream = new Upstream(call, new Listing(key, { resolve, reject }))
    const abort = () => {
      upstream.close()
      reject(signal.reason)
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    try {
      upstream.open()
    } catch (error) {
      upstream.close()
      const isKey = codeOf(error) === 'ERR_INVALID_CHAR'
      reject(isKey ? unsendableKey({ key, model: null }) : asAppError(error))
    }
  })
}

/** How many models a server lists for this key; throws as a call to a model does. */
export async function countModels(key: ModelKey, signal: AbortSignal): Promise<number> {
  const body = parseJson(await fetchListing(key, signal))
  const models = listAt(body, 'data')
  if (models.length > 0 || (typeof body === 'object' && body !== null && 'data' in body)) return models.length
  const message = `${providerName(key)} did not answer with a list of models. Check the address in the vault.`
  throw providerError('provider_failed', message, { remedy: 'vault' })
}
