import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { cutSlowReaders } from '../../scripts/slow-readers.mjs'

const patienceMs = 250
/** More than any system keeps for a connection. */
const muchBytes = 64 * 1024 * 1024
const portionBytes = 2 * 1024 * 1024

let server: Server
let socket: Socket

afterEach(async () => {
  socket.destroy()
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
})

/** Asks a server that answers like this, and reads nothing yet. */
async function ask(answer: RequestListener): Promise<Socket> {
  server = createServer({ keepAliveTimeout: 60_000 }, answer)
  cutSlowReaders(server, patienceMs)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause()
  socket.on('error', () => undefined)
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  return socket
}

const much: RequestListener = (_, response) => void response.end(Buffer.alloc(muchBytes))

test('who takes nothing is cut, and holds nothing any more', async () => {
  let closed = 0
  await ask((request, response) => {
    response.once('close', () => closed++)
    much(request, response as never)
  })
  await vi.waitFor(() => expect(closed).toBe(1), 10 * patienceMs)
})

test('who reads slowly, but reads, gets all of it', async () => {
  const reader = await ask(much)
  let read = 0
  let isOver = false
  reader.on('data', (bytes: Buffer) => {
    const before = Math.floor(read / portionBytes)
    read += bytes.length
    if (Math.floor(read / portionBytes) > before) reader.pause()
  })
  reader.once('close', () => {
    isOver = true
  })
  // All of it takes several times as long as who takes nothing is given.
  while (read < muchBytes && !isOver) {
    reader.resume()
    await sleep(patienceMs / 4)
  }
  expect(read).toBeGreaterThan(muchBytes)
})

test('who waits for an answer that takes its time gets it', async () => {
  const reader = await ask((_, response) => void setTimeout(() => response.end('at last'), 4 * patienceMs))
  let said = ''
  reader.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  reader.resume()
  await vi.waitFor(() => expect(said).toContain('at last'), 10 * patienceMs)
})
