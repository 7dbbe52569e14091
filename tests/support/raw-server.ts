import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
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
