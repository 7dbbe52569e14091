import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerControl } from './control.ts'
import { badRequest, keyError, modelError, scriptedError, WireError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { setRateLimits, setStandardHeaders } from './headers.ts'
import { Journal, markClosedHere, watchClient } from './journal.ts'
import { isUnknownModel } from './models.ts'
import { describeBody, readBytes, requireObject } from './read-body.ts'
import { replayExchange, sendRaw } from './replay.ts'
import { findRoute, type Route } from './routes.ts'
import { ScriptQueue } from './scripts.ts'
import { Store } from './store.ts'
import type { JournalEntry, ScriptSource } from './types.ts'
import { intercept, sendWhole } from './whole.ts'
import { encodePretty } from './wire.ts'

/** How a server is to be. */
export type OpenAIOptions = {
  /** 0, the default, takes a free one. */
  port?: number
  /** Which bearer keys are good; without it all that begin with `sk-test-`. */
  acceptKey?: (key: string) => boolean
  /** Requests kept in the journal; 10,000 without it. */
  journalLimit?: number
  /** Bytes a body may have; 32 MB without it. */
  bodyLimitBytes?: number
}

/** A running server. */
export type OpenAIServer = {
  /** For `baseURL` of a client: `http://127.0.0.1:PORT/v1`. */
  baseUrl: string
  port: number
  /** The requests got since the start or the last reset, oldest first. */
  journal: readonly JournalEntry[]
  /**
   * Queues a script for the next request that it matches; `times` more than one serves that many. A function
   * is asked for every generating request until `reset`, unless `times` is given.
   */
  script(next: ScriptSource, options?: { times?: number }): void
  /** Forgets scripts, journal, responses and files; what runs in the background is stopped. */
  reset(): void
  /** Closes the port and every connection. */
  close(): Promise<void>
}

const acceptTestKey = (key: string): boolean => key.startsWith('sk-test-')

class Upstream {
  readonly journal: Journal
  readonly scripts = new ScriptQueue()
  readonly store = new Store()
  private readonly options: OpenAIOptions

  constructor(options: OpenAIOptions) {
    this.options = options
    this.journal = new Journal(options.journalLimit ?? 10_000)
  }

  reset(): void {
    this.journal.clear()
    this.scripts.clear()
    this.store.clear()
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    setStandardHeaders(response)
    try {
      await this.serve(request, response)
    } catch (error) {
      sendError(response, error)
    }
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await readBytes(request, this.options.bodyLimitBytes ?? 32 * 2 ** 20)
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://127.0.0.1')
    const method = request.method ?? 'GET'
    if (path.startsWith('/__control/')) {
      const steering = { ...steeringOf(this), journal: this.journal.entries }
      if (answerControl(`${method} ${path}`, raw.toString(), steering, response)) return
    }
    const type = request.headers['content-type'] ?? ''
    const described = describeBody(raw, type)
    const entry = this.journal.record(request, response, described)
    watchClient(entry, request, response)
    const key = this.checkKey(request)
    const { route, id } = findRoute(method, path)
    const body = requireObject(described, method, type)
    const script = this.scripts.take({ entry, path, body, key })
    await this.carryOut({ request, response, entry, path, query, body, raw, key, script }, route, id)
  }

  private async carryOut(exchange: Exchange, route: Route, id: string): Promise<void> {
    const { script, key, path, body } = exchange
    if (await intercept(exchange)) return
    if (script.error !== undefined) throw scriptedError(script, key, String(body.model), path)
    if (script.replay !== undefined) return replayExchange(exchange, script.replay)
    if (route.model) checkModel(exchange)
    if (script.raw !== undefined) return sendRaw(exchange, script.raw)
    const answer = await route.handle(exchange, this.store, id)
    if (typeof answer === 'string') await sendWhole(exchange, answer)
  }

  private checkKey(request: IncomingMessage): string {
    const key = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const { acceptKey = acceptTestKey } = this.options
    if (key === '' || !acceptKey(key)) throw keyError(key)
    return key
  }
}

function checkModel({ body, path, response }: Exchange): void {
  if (typeof body.model !== 'string') {
    throw badRequest("Missing required parameter: 'model'.", 'model', 'missing_required_parameter')
  }
  if (isUnknownModel(body.model)) throw modelError(body.model, path)
  setRateLimits(response, body)
}

function sendError(response: ServerResponse, error: unknown): void {
  const known =
    error instanceof WireError
      ? error
      : new WireError({ status: 500, message: String(error), type: 'server_error' })
  if (response.headersSent || response.destroyed) return void response.destroy()
  response.statusCode = known.status
  for (const [name, value] of Object.entries(known.headers)) response.setHeader(name, value)
  const body = encodePretty(known.body)
  response.setHeader('content-type', 'application/json')
  response.setHeader('content-length', Buffer.byteLength(body))
  response.end(body)
}

const steeringOf = (upstream: Upstream) => ({
  script: (next: ScriptSource, options: { times?: number } = {}) => upstream.scripts.add(next, options.times),
  reset: () => upstream.reset(),
})

/** Starts a server on 127.0.0.1 that speaks as OpenAI does; rejects when the port is taken. */
export async function startOpenAI(options: OpenAIOptions = {}): Promise<OpenAIServer> {
  const upstream = new Upstream(options)
  const sockets = new Set<object>()
  const server = createServer((request, response) => void upstream.answer(request, response))
  server.keepAliveTimeout = 75_000
  server.on('connection', (socket) => {
    socket.setNoDelay(true)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const close = async () => {
    for (const socket of sockets) markClosedHere(socket)
    upstream.store.clear()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  const journal = upstream.journal.entries
  return { baseUrl: `http://127.0.0.1:${port}/v1`, port, journal, ...steeringOf(upstream), close }
}
