import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'

/** What an upload was answered with; null where the connection ended without an answer. */
export type Uploaded = { status: number; text: string; headers: IncomingMessage['headers'] } | null

type Sending = {
  key: string
  /** Pieces of the body, sent as fast as they are taken. */
  pieces: Iterable<Buffer>
  type?: string
  /** The length of the body, told beforehand; without it, it goes in chunks. */
  bytes?: number
  /** Headers besides. */
  more?: Record<string, string>
  /** Is given the request once the pieces are sent, in place of its end. */
  hold?: (call: ClientRequest) => void
}

/** Posts a body to `/v1/files` without having it in memory. */
export function post(url: string, sending: Sending): Promise<Uploaded> {
  const { key, pieces, type = formType, bytes, more, hold } = sending
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': type,
    ...(bytes !== undefined && { 'content-length': bytes }),
    ...more,
  }
  return new Promise((resolve) => {
    const call = request(`${url}/v1/files`, { method: 'POST', headers })
    call.on('response', (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers }))
    })
    call.on('error', () => resolve(null)).on('close', () => resolve(null))
    const waiting = pieces[Symbol.iterator]()
    const write = () => {
      for (let next = waiting.next(); !call.destroyed; next = waiting.next()) {
        if (next.done) return hold ? hold(call) : call.end()
        if (!call.write(next.value)) return call.once('drain', write)
      }
    }
    write()
  })
}

const boundary = 'boundary-of-the-tests'
/** The type of `formPieces`. */
const formType = `multipart/form-data; boundary=${boundary}`

/** A form with one large file, in pieces of 64 kB, of which one is in memory. */
export function* formPieces(bytes: number): Generator<Buffer> {
  const field = `--${boundary}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n`
  yield Buffer.from(
    `${field}--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="large.jsonl"\r\n\r\n`,
  )
  const chunk = Buffer.alloc(64 * 1024, '{"a":1}\n')
  for (let sent = 0; sent < bytes; sent += chunk.length)
    yield chunk.subarray(0, Math.min(chunk.length, bytes - sent))
  yield Buffer.from(`\r\n--${boundary}--\r\n`)
}

/** A server that does with each request what the test says, before its body was read. */
export async function startRawFiles(meet: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(meet)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const close = () => {
    server.closeAllConnections()
    return new Promise<void>((closed) => server.close(() => closed()))
  }
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, close }
}

/** All of a request's body. */
export async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
