// An upstream for measurements, in a process of its own: OpenAI's event stream, a fixed number of tokens at a fixed
// rate, each event in a write of its own, as its servers send them. Asked for by the first line of the instructions:
// `tokens=500 perSecond=100 thinkMs=0`.
import { createServer } from 'node:http'

const TICK_MS = 5

/** @typedef {{ response: import('node:http').ServerResponse, sent: number, tokens: number, everyMs: number, dueAt: number }} Stream */

/** @type {Set<Stream>} */
const streams = new Set()

const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (chunk) => {
    body += chunk
  })
  request.on('end', () => answer(body, response))
})
server.keepAliveTimeout = 120_000

/** @type {(name: string, body: string, fallback: number) => number} */
const read = (name, body, fallback) => Number(new RegExp(`${name}=(\\d+)`).exec(body)?.[1] ?? fallback)

/** @type {(body: string, response: import('node:http').ServerResponse) => void} */
function answer(body, response) {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  response.socket?.setNoDelay(true)
  response.write(
    write(
      'response.created',
      '"response":{"id":"resp_1","status":"in_progress","output":[],"usage":null}',
      0,
    ),
  )
  const tokens = read('tokens', body, 20)
  const everyMs = 1000 / read('perSecond', body, 100)
  const dueAt = performance.now() + read('thinkMs', body, 0)
  const stream = { response, sent: 0, tokens, everyMs, dueAt }
  if (dueAt <= performance.now()) advance(stream, performance.now())
  streams.add(stream)
  response.once('close', () => streams.delete(stream))
}

/** @type {(type: string, fields: string, number: number) => string} */
function write(type, fields, number) {
  return `event: ${type}\ndata: {"type":"${type}","sequence_number":${number},${fields}}\n\n`
}

const place = '"item_id":"msg_68b0a1c2d3e4f5061728394a5b6c7d8e","output_index":0,"content_index":0'
const padding = 'x7Kq2mN9pL4wR8tY'

/** @type {(stream: Stream, now: number) => void} */
function advance(stream, now) {
  const { response, tokens } = stream
  while (stream.sent < tokens && stream.dueAt <= now) {
    const fields = `${place},"delta":" word","logprobs":[],"obfuscation":"${padding.slice(stream.sent % 8)}"`
    response.write(write('response.output_text.delta', fields, stream.sent + 1))
    stream.sent += 1
    stream.dueAt += stream.everyMs
  }
  if (stream.sent < tokens) return
  streams.delete(stream)
  const usage = `{"input_tokens":10,"output_tokens":${tokens},"total_tokens":${tokens + 10}}`
  const end = `"response":{"id":"resp_1","status":"completed","output":[],"usage":${usage}}`
  response.end(write('response.completed', end, tokens + 1))
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
