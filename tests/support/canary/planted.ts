/*
 * A server that tells its secrets, each in another place: what the canary watch must find. Started by a test through
 * the same `--import` as the product.
 */
import { createServer, get, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'

const secret = process.env.OPENAI_API_KEY ?? ''
const half = Math.floor(secret.length / 2)

const leaks: Record<string, (response: ServerResponse) => void> = {
  '/header': (response) => response.setHeader('x-debug', `key=${secret}`).end('ok'),
  '/written-head': (response) => response.writeHead(200, ['x-debug', secret]).end('ok'),
  '/body': (response) => response.end(JSON.stringify({ error: `wrong key ${secret}` })),
  '/base64': (response) => response.end(`x${Buffer.from(`ab${secret}cd`).toString('base64')}`),
  '/halves': async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`data: {"text":"${secret.slice(0, half)}`)
    await sleep(20)
    response.end(`${secret.slice(half)}"}\n\n`)
  },
  '/packed': (response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(`<p>${secret}</p>`)),
  '/trailer': (response) => {
    response.writeHead(200, { trailer: 'x-end' })
    response.addTrailers({ 'x-end': secret })
    response.end('ok')
  },
  '/cut': (response) => {
    response.write(`text ${secret}`)
    setTimeout(() => response.destroy(), 50)
  },
  '/log': (response) => {
    console.log(`asked with ${Buffer.from(secret).toString('hex')}`)
    response.end('ok')
  },
  // A key from elsewhere, with which somebody is asked: it was in no environment and no request.
  '/lent': (response) => {
    const key = Buffer.from('yek-a-tnel-saw-taht').reverse().toString()
    const headers = { authorization: `Bearer ${key}` }
    get({ host: '127.0.0.1', port: portOf(), path: '/masked', headers }, (answer) => {
      answer.resume().on('end', () => response.end(`asked with ${key}`))
    })
  },
  '/echo': (response) => {
    let body = ''
    response.req.on('data', (piece) => (body += piece)).on('end', () => response.writeHead(400).end(body))
  },
  '/api/auth/login': (response) => response.end(JSON.stringify({ token: 'a-token-that-is-told-once' })),
  '/api/auth/me': (response) => response.end('a-token-that-is-told-once'),
}

const server = createServer((request, response) => {
  const leak = leaks[request.url ?? '']
  if (leak) leak(response)
  else response.end(`nothing to see: ${secret.slice(-4)}`)
})
server.on('clientError', (_, socket) => socket.end(`HTTP/1.1 400 Bad\r\nx-debug: ${secret}\r\n\r\n`))
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${portOf()}`))

function portOf(): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

process.once('SIGTERM', () => process.exit(0))
