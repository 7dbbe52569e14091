import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'

/** A server on 127.0.0.1 that a test fills with whatever a broken one might send. */
export type RawServer = { baseUrl: string; port: number; requests: IncomingMessage[]; close(): Promise<void> }

async function listen(server: Server, requests: IncomingMessage[]): Promise<RawServer> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { baseUrl: `http://127.0.0.1:${port}/v1`, port, requests, close }
}

/** Answers each HTTP request, once its body is there. */
export function startHttp(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    request.resume().on('end', () => answer(request, response))
  })
  return listen(server, requests)
}

/** Takes connections and does with them what the test says, below HTTP. */
export function startTcp(meet: (socket: Socket) => void) {
  return listen(createTcpServer(meet), [])
}

/** What a server sends that does not stop: its head, a beginning, and then the same again, so often or for ever. */
export type Flood = {
  headers?: OutgoingHttpHeaders
  status?: number
  opening?: string
  again: string | Buffer
  times?: number
  closing?: string
}

/** Answers each HTTP request with a flood, as fast as it is taken. */
export function startFlood(flood: Flood): Promise<RawServer> {
  const { status = 200, headers = { 'content-type': 'text/event-stream' } } = flood
  const { opening = '', closing = '', times = Number.POSITIVE_INFINITY } = flood
  const again = Buffer.from(flood.again)
  return startHttp((_, response) => {
    response.writeHead(status, headers).write(opening)
    let sent = 0
    const send = () => {
      while (!response.destroyed && sent < times) {
        sent += 1
        if (!response.write(again)) return
      }
      if (!response.writableEnded) response.end(closing)
    }
    response.on('drain', send)
    send()
  })
}

/** Answers each connection, once a request came, with bytes that go on for ever. */
export function startTcpFlood(opening: string, again: string): Promise<RawServer> {
  const bytes = Buffer.from(again)
  return startTcp((socket) => {
    const send = () => {
      while (!socket.destroyed && socket.write(bytes));
    }
    socket.on('drain', send)
    socket.once('data', () => {
      socket.write(opening)
      send()
    })
  })
}
