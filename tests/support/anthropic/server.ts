import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { breakConnection, Journal, markClosedHere, watchClient } from '../openai/journal.ts'
import { StreamWriter } from '../openai/stream-writer.ts'
import type { JournalEntry } from '../openai/types.ts'
import { makeShortId } from '../openai/wire.ts'
import { check } from './checks.ts'
import { badRequest, errorOf, WireError } from './errors.ts'
import { eventsOf, frame, makeMessage, wholeMessage } from './message.ts'
import { modelPage } from './models.ts'
import type { Body, Script, ScriptSource } from './types.ts'

/** A running server. */
export type AnthropicServer = {
  /** As `https://api.anthropic.com` is: without a version. */
  baseUrl: string
  /** The requests got since the start or the last reset, oldest first. */
  journal: readonly JournalEntry[]
  /** Queues a script for the next message; a function is asked for every one until `reset`. */
  script(next: ScriptSource): void
  reset(): void
  close(): Promise<void>
}

const bodyLimitBytes = 32 * 2 ** 20

class Upstream {
  readonly journal = new Journal(10_000)
  scripts: ScriptSource[] = []

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = makeShortId('req_011', 21)
    response.setHeader('request-id', requestId)
    response.setHeader('anthropic-organization-id', '1b4d2c3a-0f6e-4a7b-9c8d-5e6f7a8b9c0d')
    try {
      await this.serve(request, response)
    } catch (error) {
      sendError(response, error, requestId)
    }
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const raw = Buffer.concat(chunks)
    const body = parse(raw)
    watchClient(this.journal.record(request, response, body), request, response)
    if (raw.length > bodyLimitBytes) throw errorOf('too_large')
    checkHead(request)
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
    const call = `${request.method} ${pathname}`
    if (call === 'GET /v1/models') return sendJson(response, modelPage(searchParams))
    if (call !== 'POST /v1/messages') {
      throw new WireError({ status: 404, type: 'not_found_error', message: 'Not Found' })
    }
    if (typeof body !== 'object' || body === null) throw badRequest('Input should be a valid dictionary')
    await this.speak(body as Body, response)
  }

  private async speak(body: Body, response: ServerResponse): Promise<void> {
    const script = this.take(body)
    if (script.firstByteDelayMs) await sleep(script.firstByteDelayMs)
    if (script.error !== undefined) throw errorOf(script.error)
    check(body)
    if (/none|unknown/.test(String(body.model))) {
      const message = `model: ${String(body.model)}`
      throw new WireError({ status: 404, type: 'not_found_error', message })
    }
    for (const [name, value] of Object.entries(script.headers ?? {})) response.setHeader(name, value)
    const made = makeMessage(body, script)
    if (body.stream === true) await stream(response, script, eventsOf(made))
    else sendJson(response, wholeMessage(made))
  }

  private take(body: Body): Script {
    const [next] = this.scripts
    if (typeof next === 'function') return next(body)
    return (this.scripts.shift() as Script | undefined) ?? {}
  }
}

function parse(raw: Buffer): unknown {
  try {
    return raw.length === 0 ? undefined : JSON.parse(raw.toString())
  } catch {
    return raw.toString()
  }
}

/** The key and the version, as Anthropic demands them. */
function checkHead({ headers }: IncomingMessage): void {
  const key = headers['x-api-key']
  if (typeof key !== 'string' || headers.authorization !== undefined) {
    throw new WireError({
      status: 401,
      type: 'authentication_error',
      message: 'x-api-key header is required',
    })
  }
  if (!key.startsWith('sk-ant-') && !key.startsWith('sk-test-')) throw errorOf('authentication')
  if (headers['anthropic-version'] !== '2023-06-01') {
    throw badRequest('anthropic-version: header is required')
  }
}

function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

function sendError(response: ServerResponse, error: unknown, requestId: string): void {
  const known = error instanceof WireError ? error : errorOf('api')
  if (response.headersSent || response.destroyed) return void response.destroy()
  const { status, type, message, headers = {} } = known.spec
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  sendJson(response, { type: 'error', error: { type, message }, request_id: requestId }, status)
}

const strange = [': a comment\n\n', frame({ type: 'weather_report', sky: 'clear' }), 'id: 7\n\n']

async function stream(response: ServerResponse, script: Script, events: Body[]): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  const writer = new StreamWriter(response, { split: script.split, crlf: script.crlf })
  const { end = 'whole', after = Math.ceil(events.length / 2), delayMs } = script
  const shown = end === 'whole' ? events : end === 'no_stop' ? events.slice(0, -1) : events.slice(0, after)
  for (const [index, event] of shown.entries()) {
    if (script.unknownEvents) await writer.write(strange[index % strange.length] ?? '')
    if (!(await writer.write(frame(event)))) return
    if (delayMs) await sleep(delayMs)
  }
  const { type = 'overloaded_error', message = 'Overloaded' } = script.failure ?? {}
  if (end === 'error') await writer.write(frame({ type: 'error', error: { type, message } }))
  if (end === 'malformed') await writer.write('event: content_block_delta\ndata: {"type":"oops\n\n')
  if (end === 'stall') return
  if (end === 'reset') return breakConnection(response, 'reset')
  response.end()
}

/** Starts a server on 127.0.0.1 that speaks as Anthropic's Messages API does. */
export async function startAnthropic(): Promise<AnthropicServer> {
  const upstream = new Upstream()
  const sockets = new Set<object>()
  const server = createServer((request, response) => void upstream.answer(request, response))
  server.on('connection', (socket) => {
    socket.setNoDelay(true)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const reset = () => {
    upstream.journal.clear()
    upstream.scripts = []
  }
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    journal: upstream.journal.entries,
    script: (next) => void upstream.scripts.push(next),
    reset,
    close: async () => {
      for (const socket of sockets) markClosedHere(socket)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
