// The reference, in a process of its own: a Node server that passes a request on and pipes the answer's bytes back, and
// nothing else.
import { Agent, request as ask, createServer } from 'node:http'

const agent = new Agent({ keepAlive: true })
const target = Number(process.argv[2])

const server = createServer((incoming, outgoing) => {
  const call = ask({
    agent,
    host: '127.0.0.1',
    port: target,
    method: incoming.method,
    path: incoming.url,
    headers: incoming.headers,
  })
  call.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(outgoing)
  })
  call.on('error', () => outgoing.destroy())
  incoming.pipe(call)
})
server.keepAliveTimeout = 120_000

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: address && typeof address === 'object' ? address.port : 0 })
})
process.once('disconnect', () => process.exit(0))
