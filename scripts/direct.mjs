// Calls of OpenAI's clients, answered by the handlers of their route files without Next's way to them, which takes longer
// than all that a handler does. Which they are, the application tells (instrumentation.ts); whatever else there is, and
// all of it on other hosts and with hot reload, is Next's.
import { answerHeaders } from './answer-headers.mjs'

/**
 * @typedef {import('node:http').RequestListener} RequestListener
 * @typedef {import('node:http').IncomingMessage} IncomingMessage
 * @typedef {import('node:http').ServerResponse} ServerResponse
 * @typedef {import('../lib/http').FindHandler} FindHandler
 */

/** Under these, with nothing in front or with `/api`, are the calls of OpenAI's clients. */
const OWN_PATH = /^(?:\/api)?(\/v1\/[^?#]*)(?:\?|$)/
/** These speak of the way that an answer goes, which is Node's to say. */
const OF_THE_WAY = new Set(['connection', 'content-encoding', 'content-length', 'transfer-encoding'])

/**
 * Answers a request if it is one of those; else it is left as it is.
 * @type {(...args: Parameters<RequestListener>) => boolean} whether it is answered here
 */
export function answerDirectly(request, response) {
  const path = OWN_PATH.exec(request.url ?? '')?.[1]
  if (path === undefined) return false
  const handle = findHandler()?.(request.method ?? '', path)
  if (!handle) return false
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  const body = request.method === 'GET' || request.method === 'HEAD' ? null : new IncomingBody(request)
  // What a handler has begun to read and forgotten would hold the connection up.
  response.once('finish', () => body?.cancel())
  handle(toWebRequest(request, body, gone.signal))
    .then((answer) => sendAnswer(answer, request, response))
    .catch((error) => {
      console.error(error)
      response.destroy()
    })
  return true
}

/** @returns {FindHandler | undefined} */
function findHandler() {
  return Reflect.get(globalThis, '__alChatHandlers')
}

/**
 * @param {IncomingMessage} request
 * @param {IncomingBody | null} source
 * @param {AbortSignal} signal
 */
function toWebRequest({ method = '', url, headers: given }, source, signal) {
  /** @type {[string, string][]} */
  const headers = []
  for (const name in given) {
    const value = given[name]
    if (typeof value === 'string') headers.push([name, value])
    else for (const each of value ?? []) headers.push([name, each])
  }
  const body = source && new ReadableStream(source, { highWaterMark: 0 })
  // Who was called is in the headers; of the URL, path and query alone say anything.
  return new Request(`http://localhost${url}`, {
    method,
    headers,
    signal,
    ...(body && { body, duplex: 'half' }),
  })
}

/**
 * What a client sends, read only as it is wanted. What nobody wants any more is let go by, so that the connection can
 * serve again.
 * @implements {UnderlyingDefaultSource<Uint8Array>}
 */
class IncomingBody {
  #request
  #isOpen = false
  #isOver = false

  /** @param {IncomingMessage} request */
  constructor(request) {
    this.#request = request
  }

  /** @param {ReadableStreamDefaultController<Uint8Array>} controller */
  pull(controller) {
    if (!this.#isOpen) this.#open(controller)
    this.#request.resume()
  }

  cancel() {
    this.#isOver = true
    this.#request.resume()
  }

  /** @param {ReadableStreamDefaultController<Uint8Array>} controller */
  #open(controller) {
    const request = this.#request
    /** @param {() => void} tell */
    const end = (tell) => {
      if (!this.#isOver) tell()
      this.#isOver = true
    }
    const breakOff = () => end(() => controller.error(new Error('The client is gone.')))
    this.#isOpen = true
    if (request.destroyed) return breakOff()
    request.on('data', (bytes) => {
      if (this.#isOver) return
      controller.enqueue(bytes)
      request.pause()
    })
    request.once('end', () => end(() => controller.close()))
    request.once('error', breakOff)
    request.once('close', breakOff)
  }
}

/**
 * @param {Response} answer
 * @param {IncomingMessage} request
 * @param {ServerResponse} response
 */
async function sendAnswer({ status, headers, body }, { method }, response) {
  response.statusCode = status
  for (const [name, value] of headers) {
    if (name === 'set-cookie') response.appendHeader(name, value)
    else if (!OF_THE_WAY.has(name)) response.setHeader(name, value)
  }
  for (const [name, value] of answerHeaders) response.setHeader(name, value)
  if (body && method !== 'HEAD') return sendBody(body, response)
  response.end()
  await body?.cancel()
}

/**
 * Sends a body as it comes and as it is taken, and leaves it when the client is gone. One that breaks off breaks the
 * answer off, so that nobody takes a part for the whole.
 * @param {ReadableStream<Uint8Array>} body
 * @param {ServerResponse} response
 */
async function sendBody(body, response) {
  const reader = body.getReader()
  const leave = () => reader.cancel().catch(() => undefined)
  if (response.destroyed) return leave()
  response.once('close', leave)
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read())
      if (!response.write(piece.value)) await untilDrained(response)
    response.end()
  } catch (error) {
    // What becomes of the call to a model server, its handler has written down.
    if (!(error instanceof Error && error.name === 'AppError') && !response.destroyed) console.error(error)
    response.destroy()
  }
}

/**
 * @param {ServerResponse} response
 * @returns {Promise<void>} until more can be written, or nobody is there any more
 */
function untilDrained(response) {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    if (response.destroyed) resolve()
    else response.on('drain', done).on('close', done)
  })
}
