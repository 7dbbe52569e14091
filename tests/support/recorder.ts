import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** A stranger on 127.0.0.1 who writes down all that comes: each byte of each connection. */
export type Recorder = {
  /** Such as `http://127.0.0.1:41234/v1`. */
  baseUrl: string
  port: number
  /** All bytes so far, as text. */
  heard: () => string
  /** What was asked for: `GET /v1/models`. */
  requests: string[]
  reset(): void
  close(): Promise<void>
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** Starts a recorder. It answers every request as told, and a request for a tunnel as a proxy that makes none. */
export async function startRecorder(answer: Answer): Promise<Recorder> {
  let bytes = ''
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    request.resume().on('end', () => answer(request, response))
  })
  server.on('connect', (request, socket) => {
    requests.push(`${request.method} ${request.url}`)
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    // Beside the parser of HTTP, which sees the same bytes.
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.toString('latin1')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    port,
    heard: () => bytes,
    requests,
    reset: () => {
      bytes = ''
      requests.length = 0
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
