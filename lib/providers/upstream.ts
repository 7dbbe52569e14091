import http from 'node:http'
import https from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import { agentFor, freshAgentFor } from './agent'
import type { ModelKey, ProviderTimeouts } from './port'
import { type Expired, Watchdog } from './watchdog'

/**
 * A body that is read as fast as it is taken; `pieces` are as many bytes together as is said, null where nobody knows
 * beforehand. One that `isOnce` cannot be sent a second time.
 */
export type StreamedBody = {
  bytes: number | null
  pieces: () => AsyncIterable<Uint8Array>
  isOnce?: boolean
}

/** One HTTP call to a model server. */
export type UpstreamCall = {
  key: ModelKey
  path: string
  /** JSON to post, or nothing as ''; without it the call is a GET, unless `method` says otherwise. */
  body?: string | Uint8Array | StreamedBody
  method?: 'GET' | 'POST' | 'DELETE'
  /** Headers of the caller's that go along; none of them can replace what is said here of the key and the body. */
  headers?: Record<string, string>
  accept: string
  timeouts: ProviderTimeouts
}

export type UpstreamHead = { status: number; headers: http.IncomingHttpHeaders }

/** What becomes of the call. After `end` or `fail` comes nothing more. */
export type UpstreamListener = {
  head(head: UpstreamHead): void
  chunk(bytes: Buffer): void
  end(): void
  fail(error: Error): void
  expire(what: Expired): void
}

const staleCodes = new Set(['ECONNRESET', 'EPIPE'])

/** As many hints (status 1xx) may come before the answer. */
const maxHints = 100

/** How long a server that has said all may take to end its body before its connection is given up. */
const lingerMs = 1000

function headersOf({ key, body, accept, headers }: UpstreamCall): http.OutgoingHttpHeaders {
  return {
    ...(body ? { 'content-type': 'application/json' } : {}),
    ...headers,
    accept,
    'accept-encoding': 'identity',
    'user-agent': 'al-chat',
    ...keyHeaders(key),
    ...lengthOf(body),
  }
}

function lengthOf(body: UpstreamCall['body']): http.OutgoingHttpHeaders {
  if (body === undefined || (isStreamed(body) && body.bytes === null)) return {}
  return { 'content-length': isStreamed(body) ? Number(body.bytes) : Buffer.byteLength(body) }
}

/**
 * The form of Anthropic's API that requests are made for. There is a newer one, of October 2026, which takes no
 * temperature from any model, and which other servers of this dialect do not know.
 */
const anthropicVersion = '2023-06-01'

/** Anthropic's key has a header of its own. */
function keyHeaders({ provider, apiKey }: ModelKey): http.OutgoingHttpHeaders {
  if (provider !== 'anthropic') return apiKey ? { authorization: `Bearer ${apiKey}` } : {}
  return { ...(apiKey && { 'x-api-key': apiKey }), 'anthropic-version': anthropicVersion }
}

/** Anthropic's addresses are kept without the version, and its paths have it; who writes it otherwise means the same. */
function addressOf({ provider, baseUrl }: ModelKey, path: string): URL {
  if (provider !== 'anthropic') return new URL(baseUrl + path)
  return new URL(`${baseUrl.replace(/\/v1$/, '')}/v1${path.replace(/^\/v1(?=\/)/, '')}`)
}

function isStreamed(body: string | Uint8Array | StreamedBody): body is StreamedBody {
  return typeof body === 'object' && 'pieces' in body
}

/** The body as the server meant it, for servers that compress although they were asked not to. */
function decoded(response: http.IncomingMessage): Readable {
  const encoding = response.headers['content-encoding']?.toLowerCase()
  if (encoding === undefined || encoding === 'identity') return response
  if (encoding === 'br') return response.pipe(zlib.createBrotliDecompress())
  return response.pipe(zlib.createUnzip())
}

/** One running HTTP call: opened once, closed at once when nobody wants it any more. */
export class Upstream {
  readonly #call: UpstreamCall
  readonly #listener: UpstreamListener
  #request: http.ClientRequest | undefined
  #body: Readable | undefined
  #watchdog: Watchdog | undefined
  #isOver = false

  constructor(call: UpstreamCall, listener: UpstreamListener) {
    this.#call = call
    this.#listener = listener
  }

  /** Sends the request; throws TypeError where the key cannot be sent in a header. */
  open(): void {
    this.#watchdog = new Watchdog(this.#call.timeouts, (what) => this.#end(() => this.#listener.expire(what)))
    this.#send(true)
  }

  pause(): void {
    if (this.#isOver) return
    this.#body?.pause()
    if (this.#body) this.#request?.socket?.pause()
    this.#watchdog?.hold(true)
  }

  resume(): void {
    this.#watchdog?.hold(false)
    this.#body?.resume()
    this.#request?.socket?.resume()
  }

  /** Closes the connection at once. */
  close(): void {
    this.#end(() => undefined)
  }

  /** All was said: the connection is kept for the next call if the body ends soon. */
  release(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#watchdog?.stop()
    const timer = setTimeout(() => {
      this.#request?.destroy()
      this.#body?.destroy()
    }, lingerMs).unref()
    this.#body?.once('close', () => clearTimeout(timer))
    this.#body?.resume()
    this.#request?.socket?.resume()
  }

  #end(tell: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#watchdog?.stop()
    this.#request?.destroy()
    // What unpacks would go on with what it has, and a few bytes may unpack to gigabytes.
    this.#body?.destroy()
    tell()
  }

  #arrived(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#watchdog?.stop()
    // The request is not destroyed here, for its connection may serve the next call: not one that is not read from.
    // (The end may come while all is paused, with the last bytes.)
    this.#request?.socket?.resume()
    // Who has said all before it was told all, takes no more.
    if (this.#request?.writableEnded === false) this.#request.destroy()
    this.#listener.end()
  }

  #send(mayRepeat: boolean): void {
    const { key, path, body, method = body === undefined ? 'GET' : 'POST' } = this.#call
    const url = addressOf(key, path)
    const isOnce = body !== undefined && isStreamed(body) && body.isOnce === true
    const client = url.protocol === 'https:' ? https : http
    const request = client.request(url, {
      method,
      headers: headersOf(this.#call),
      agent: isOnce ? freshAgentFor(url.protocol) : agentFor(url.protocol),
    })
    this.#request = request
    request.on('socket', (socket) => this.#watchConnection(socket, url.protocol))
    request.on('response', (response) => this.#receive(response))
    this.#limitPreludes(request)
    request.on('error', (error) => {
      const isStale = request.reusedSocket && this.#body === undefined && staleCodes.has(codeOf(error))
      // A kept connection that the server had closed meanwhile: the request never arrived, so it goes out anew.
      if (mayRepeat && isStale && !this.#isOver) this.#send(false)
      else this.#end(() => this.#listener.fail(error))
    })
    if (body !== undefined && isStreamed(body)) this.#stream(body, request)
    else request.end(body)
  }

  #stream(body: StreamedBody, request: http.ClientRequest): void {
    // What the request itself fails with is told by the request.
    const fail = (error: Error) => this.#end(() => this.#listener.fail(error))
    pipeline(Readable.from(this.#watched(body), { objectMode: false }), request).catch((error: Error) => {
      if (!request.destroyed) fail(error)
    })
  }

  /** As long as it is being told something, a server need not begin to answer. */
  async *#watched(body: StreamedBody): AsyncGenerator<Uint8Array> {
    for await (const piece of body.pieces()) {
      this.#watchdog?.touch()
      yield piece
    }
  }

  /** Hints without end, or another protocol, where the answer should begin. */
  #limitPreludes(request: http.ClientRequest): void {
    const refuse = () => this.#end(() => this.#listener.fail(notHttp()))
    let hints = 0
    request.on('information', () => {
      hints += 1
      if (hints > maxHints) refuse()
    })
    request.on('upgrade', refuse)
  }

  #watchConnection(socket: NodeJS.Socket, protocol: string): void {
    const isWaiting = 'connecting' in socket && socket.connecting === true
    if (!isWaiting) this.#watchdog?.enter('firstByte')
    else
      socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', () =>
        this.#watchdog?.enter('firstByte'),
      )
  }

  #receive(response: http.IncomingMessage): void {
    if (this.#isOver) return
    const body = decoded(response)
    this.#body = body
    const fail = (error: Error) => this.#end(() => this.#listener.fail(error))
    response.on('error', fail)
    if (body !== response) body.on('error', fail)
    this.#guard(() => this.#listener.head({ status: response.statusCode ?? 0, headers: response.headers }))
    let isFirst = true
    body.on('data', (bytes: Buffer) => {
      if (this.#isOver) return
      if (isFirst) this.#watchdog?.enter('idle')
      else this.#watchdog?.touch()
      isFirst = false
      this.#guard(() => this.#listener.chunk(bytes))
    })
    body.on('end', () => this.#arrived())
  }

  /** What a listener throws is the end of the call. */
  #guard(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.#end(() => this.#listener.fail(error as Error))
    }
  }
}

function notHttp(): Error {
  return Object.assign(new Error('This is no answer in HTTP.'), { code: 'HPE_NO_ANSWER' })
}

/** The system's word for an error, such as `ECONNREFUSED`; empty where there is none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
