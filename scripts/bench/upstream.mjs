// An upstream for measurements, in a process of its own: OpenAI's event stream, a fixed number of tokens at a fixed
// rate, each event in a write of its own, as its servers send them. Asked for by words anywhere in what is asked:
// `tokens=500 perSecond=100 thinkMs=0`. `/v1/chat/completions` answers in that dialect, as a whole where no stream is
// asked for; every other address, as responses do.
import { createServer } from 'node:http'
import { completions, responses, wholeCompletion } from './dialects.mjs'

const TICK_MS = 5

/**
 * @typedef {import('node:http').ServerResponse} ServerResponse
 * @typedef {{ response: ServerResponse, dialect: import('./dialects.mjs').Dialect, sent: number, tokens: number, everyMs: number, dueAt: number }} Stream
 */

/** @type {Set<Stream>} */
const streams = new Set()

const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (chunk) => {
    body += chunk
  })
  request.on('end', () => answer(request.url ?? '', body, response))
})
server.keepAliveTimeout = 120_000

/** @type {(name: string, body: string, fallback: number) => number} */
const read = (name, body, fallback) => Number(new RegExp(`${name}=(\\d+)`).exec(body)?.[1] ?? fallback)

/** @type {(url: string, body: string, response: ServerResponse) => void} */
function answer(url, body, response) {
  const tokens = read('tokens', body, 20)
  const isCompletion = url.startsWith('/v1/chat/completions')
  if (isCompletion && !/"stream":\s*true/.test(body)) {
    const whole = wholeCompletion(tokens)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length }).end(whole)
    return
  }
  const dialect = isCompletion ? completions : responses
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  response.socket?.setNoDelay(true)
  response.write(dialect.begin)
  const everyMs = 1000 / read('perSecond', body, 100)
  const dueAt = performance.now() + read('thinkMs', body, 0)
  const stream = { response, dialect, sent: 0, tokens, everyMs, dueAt }
  if (dueAt <= performance.now()) advance(stream, performance.now())
  streams.add(stream)
  response.once('close', () => {
    streams.delete(stream)
    if (!response.writableFinished) process.send?.({ leftAtMs: performance.timeOrigin + performance.now() })
  })
}

/** @type {(stream: Stream, now: number) => void} */
function advance(stream, now) {
  const { response, dialect, tokens } = stream
  while (stream.sent < tokens && stream.dueAt <= now) {
    response.write(dialect.token(stream.sent))
    stream.sent += 1
    stream.dueAt += stream.everyMs
  }
  if (stream.sent < tokens) return
  streams.delete(stream)
  response.end(dialect.end(tokens))
}

setInterval(() => {
  const now = performance.now()
  for (const stream of streams) advance(stream, now)
}, TICK_MS)

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: address && typeof address === 'object' ? address.port : 0 })
})
process.once('disconnect', () => process.exit(0))
