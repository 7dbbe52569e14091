/*
 * node --import THIS scripts/serve.mjs: watches what a server says over HTTP. Each answer is searched on its way out
 * for every secret that the server was ever given: in its environment, in its data folder, in the requests. The
 * product knows nothing of it: Node itself tells of connections, requests and answers (node:diagnostics_channel).
 */
import { subscribe } from 'node:diagnostics_channel'
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { isMainThread } from 'node:worker_threads'
import { type Watch, WatchedAnswer } from './answers.ts'
import { secretsOfEnvironment, secretsOfFolder } from './given.ts'
import { hearBody, secretsOfBody, secretsOfCall, secretsOfHeaders } from './learning.ts'
import { CanaryRecord, canaryFolder, storeOf } from './record.ts'
import { Searcher, type Secret } from './searcher.ts'

const SAVE_MS = 500

const folder = canaryFolder()
if (folder && isMainThread) startWatch(folder)

function startWatch(folder: string): void {
  const dataDir = process.env.DATA_DIR || './data'
  const record = new CanaryRecord(folder, storeOf(dataDir))
  const searcher = new Searcher(record.readSecrets())
  const learn = (secrets: Secret[]) => {
    for (const secret of secrets) if (searcher.add(secret)) record.keepSecret(secret)
  }
  const watch = { searcher, record, learn }
  learn(secretsOfEnvironment(process.env))
  let hasReadFolder = false
  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
    // Made while the server started.
    if (!hasReadFolder) learn(secretsOfFolder(dataDir))
    hasReadFolder = true
    careFor(watch, () => watchExchange(watch, request, response))
  })
  subscribe('http.client.request.start', (message) => {
    careFor(watch, () => learn(secretsOfCall((message as { request: ClientRequest }).request)))
  })
  subscribe('net.server.socket', (message) => watchRawWrites(watch, (message as { socket: Socket }).socket))
  setInterval(() => record.save(), SAVE_MS).unref()
  process.on('exit', () => record.save())
}

function watchExchange(watch: Watch, request: IncomingMessage, response: ServerResponse): void {
  watch.learn(secretsOfHeaders(request))
  const path = (request.url ?? '').split('?', 1)[0] ?? ''
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD'
  const learnBody = hasBody
    ? hearBody(request, (body) => careFor(watch, () => watch.learn(secretsOfBody(path, body))))
    : () => undefined
  const answer = new WatchedAnswer(watch, request, response)
  const { write, end } = response
  response.write = ((...args: Parameters<typeof write>) => {
    learnBody()
    careFor(watch, () => answer.takeBody(bytesOf(args)))
    const isRoom = Reflect.apply(write, response, args)
    careFor(watch, () => answer.takeHead())
    return isRoom
  }) as typeof write
  response.end = ((...args: Parameters<typeof write>) => {
    learnBody()
    careFor(watch, () => answer.takeBody(bytesOf(args)))
    Reflect.apply(end, response, args)
    careFor(watch, () => answer.finish())
    return response
  }) as typeof end
  response.once('close', () => careFor(watch, () => answer.finish()))
}

/** What is said to a connection without an answer: to whoever does not speak HTTP. */
function watchRawWrites(watch: Watch, socket: Socket): void {
  const { write, end } = socket
  const look = (args: unknown[]) => {
    if (Reflect.get(Reflect.get(socket, '_httpMessage') ?? {}, 'headersSent') === true) return
    const bytes = bytesOf(args)
    watch.record.count({ bytes: bytes.length })
    for (const finding of watch.searcher.find(bytes)) watch.record.report(finding, 'a connection')
  }
  socket.write = ((...args: Parameters<typeof write>) => {
    careFor(watch, () => look(args))
    return Reflect.apply(write, socket, args)
  }) as typeof write
  socket.end = ((...args: Parameters<typeof write>) => {
    careFor(watch, () => look(args))
    return Reflect.apply(end, socket, args)
  }) as typeof end
}

function bytesOf([piece, encoding]: unknown[]): Buffer {
  if (typeof piece === 'string')
    return Buffer.from(piece, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
  if (piece instanceof Uint8Array) return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
  return Buffer.alloc(0)
}

/** The server goes on whatever becomes of the watch; the run does not. */
function careFor(watch: Watch, look: () => void): void {
  try {
    look()
  } catch (error) {
    const around = error instanceof Error ? (error.stack ?? error.message) : String(error)
    watch.record.reportText({ secret: 'unknown', form: 'none', where: 'the watch itself failed', around })
  }
}
