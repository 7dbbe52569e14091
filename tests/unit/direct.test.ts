import { Agent, createServer, type IncomingMessage, request as send } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { answerDirectly } from '../../scripts/direct.mjs'
import { until } from '../support/until'

/*
 * Between Node's requests and the web's: what a handler gets, and what becomes of what it answers. The server is plain
 * Node's, the handlers are the tests'.
 */

let handle: (request: Request) => Response | Promise<Response>
let asked: { method: string; path: string }[]

const server = createServer((request, response) => {
  if (!answerDirectly(request, response)) response.writeHead(418).end()
})
let port: number
const oneConnection = new Agent({ keepAlive: true, maxSockets: 1 })

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  port = (server.address() as AddressInfo).port
  Object.assign(globalThis, {
    __alChatHandlers: (method: string, path: string) => {
      asked.push({ method, path })
      return async (request: Request) => handle(request)
    },
  })
})
beforeEach(() => {
  asked = []
  handle = () => new Response('ok')
})
afterAll(async () => {
  oneConnection.destroy()
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
})

type Call = {
  method?: string
  path?: string
  headers?: Record<string, string>
  body?: string | Buffer
  agent?: Agent
}

function call({
  method = 'POST',
  path = '/v1/x',
  headers,
  body,
  agent,
}: Call = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const place = { host: '127.0.0.1', port, method, path, headers, agent: agent ?? false }
    send(place, resolve).on('error', reject).end(body)
  })
}

/** A connection on which a test says what it likes. */
function speak(text: string) {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  socket.write(text)
  return socket
}

const head = (lines: string) => `POST /v1/x HTTP/1.1\r\nhost: x\r\n${lines}\r\n\r\n`

/** A body of so many pieces, and how many were taken, and whether it was left. */
function bodyOf(pieces: number, piece: Uint8Array) {
  const state = { taken: 0, isLeft: false }
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        state.taken += 1
        controller.enqueue(piece)
        if (state.taken === pieces) controller.close()
      },
      cancel: () => {
        state.isLeft = true
      },
    },
    { highWaterMark: 0 },
  )
  return { state, body }
}

/** A body that says nothing until it is left. */
function silence() {
  const state = { isLeft: false }
  const body = new ReadableStream<Uint8Array>({
    cancel: () => {
      state.isLeft = true
    },
  })
  return { state, body }
}

describe('what is answered here', () => {
  test.each([
    ['/v1/models', '/v1/models'],
    ['/api/v1/models?limit=2', '/v1/models'],
  ])('%s is looked for as %s', async (path, wanted) => {
    expect((await call({ method: 'GET', path })).statusCode).toBe(200)
    expect(asked).toEqual([{ method: 'GET', path: wanted }])
  })

  test.each(['/', '/v1', '/v10/x', '/api/models', '/api/api/v1/x', 'http://elsewhere/v1/x'])(
    '%s is none of it',
    async (path) => {
      expect((await call({ method: 'GET', path })).statusCode).toBe(418)
      expect(asked).toEqual([])
    },
  )
})

describe('a handler', () => {
  test('gets what was sent: method, path and query, headers, body', async () => {
    let seen: unknown
    handle = async (request) => {
      const { pathname, search } = new URL(request.url)
      const { method, headers } = request
      seen = [method, pathname, search, headers.get('x-one'), headers.get('x-many'), await request.text()]
      return new Response(null, { status: 204 })
    }
    const headers = { 'x-one': 'one', 'x-many': ['a', 'b'] as unknown as string }
    const answer = await call({ method: 'PUT', path: '/api/v1/x?a=1&b=%2F', headers, body: 'Grüße' })
    expect(answer.statusCode).toBe(204)
    expect(seen).toEqual(['PUT', '/api/v1/x', '?a=1&b=%2F', 'one', 'a, b', 'Grüße'])
  })

  test('gets a large body piece by piece, as it takes it', async () => {
    const sizes: number[] = []
    handle = async (request) => {
      for await (const piece of request.body ?? []) {
        sizes.push(piece.length)
        await sleep(0)
      }
      return new Response('whole')
    }
    const answer = await call({ body: Buffer.alloc(3_000_000, 'x') })
    expect(await textOf(answer)).toBe('whole')
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(3_000_000)
    expect(Math.max(...sizes)).toBeLessThan(300_000)
  })

  test('who reads nothing of a body makes the client wait, not the memory grow', async () => {
    let goOn = () => {}
    handle = async (request) => {
      await new Promise<void>((done) => {
        goOn = done
      })
      return new Response(String((await request.bytes()).length))
    }
    const bytes = 48 * 1024 * 1024
    const socket = speak(head(`content-length: ${bytes}`))
    socket.write(Buffer.alloc(bytes))
    await until(() => expect(asked).toHaveLength(1))
    let waiting = -1
    await until(() => {
      const before = waiting
      waiting = socket.writableLength
      expect(waiting).toBe(before)
    })
    expect(waiting).toBeGreaterThan(bytes / 2)
    goOn()
    const [said] = (await socket.setEncoding('utf8').take(1).toArray()) as string[]
    expect(said).toContain(String(bytes))
    socket.destroy()
  })

  test('is asked for a body that the client was told to go on with', async () => {
    handle = async (request) => new Response(await request.text())
    const socket = speak(head('content-length: 5\r\nexpect: 100-continue\r\nconnection: close')).setEncoding(
      'utf8',
    )
    let said = ''
    socket.on('data', (text: string) => {
      said += text
      if (said.endsWith('100 Continue\r\n\r\n')) socket.write('later')
    })
    await until(() => expect(said).toContain('later'))
    expect(said).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n/)
  })

  test('is told of a body that breaks off', async () => {
    let failure: unknown
    handle = async (request) => {
      await request.text().catch((error: unknown) => {
        failure = error
      })
      return new Response('too late')
    }
    const socket = speak(head('content-length: 1000'))
    socket.write('a beginning')
    await until(() => expect(asked).toHaveLength(1))
    socket.destroy()
    await until(() => expect(failure).toBeInstanceOf(Error))
  })

  test.each(['nothing', 'a part'])(
    'who wants %s of a body leaves the connection fit for use',
    async (wanted) => {
      handle = async (request) => {
        if (wanted === 'a part') for await (const _ of request.body ?? []) break
        return new Response('too large', { status: 413 })
      }
      const first = await call({ body: Buffer.alloc(5_000_000), agent: oneConnection })
      const { localPort } = first.socket
      expect([first.statusCode, await textOf(first)]).toEqual([413, 'too large'])
      handle = () => new Response('again')
      const second = await call({ body: 'x', agent: oneConnection })
      expect(second.socket.localPort).toBe(localPort)
      expect([second.statusCode, await textOf(second)]).toEqual([200, 'again'])
    },
  )

  test('who forgets a body that it has begun to read does not hold up the connection', async () => {
    handle = async (request) => {
      await request.body?.getReader().read()
      return new Response('enough')
    }
    const first = await call({ body: Buffer.alloc(5_000_000), agent: oneConnection })
    expect(await textOf(first)).toBe('enough')
    handle = () => new Response('again')
    expect(await textOf(await call({ body: 'x', agent: oneConnection }))).toBe('again')
  })
})

describe('an answer', () => {
  test('goes out with its status, headers and cookies, and what every answer says to browsers', async () => {
    const headers = new Headers({ 'content-type': 'text/plain', 'retry-after': '7', 'content-length': '999' })
    headers.append('set-cookie', 'a=1; Path=/')
    headers.append('set-cookie', 'b=2, 3')
    handle = () => new Response('Grüße', { status: 429, headers })
    const answer = await call()
    expect(answer.statusCode).toBe(429)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain',
      'retry-after': '7',
      'set-cookie': ['a=1; Path=/', 'b=2, 3'],
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
    })
    expect(await textOf(answer)).toBe('Grüße')
  })

  test('to HEAD has no body, and what would have been one is left', async () => {
    const { state, body } = bodyOf(1000, Buffer.from('x'))
    handle = () => new Response(body, { headers: { 'x-said': 'yes' } })
    const answer = await call({ method: 'HEAD' })
    expect([answer.statusCode, answer.headers['x-said'], await textOf(answer)]).toEqual([200, 'yes', ''])
    await until(() => expect(state.isLeft).toBe(true))
  })

  test('is made no faster than it is read', async () => {
    const piece = Buffer.alloc(64 * 1024, 'x')
    const { state, body } = bodyOf(2000, piece)
    handle = () => new Response(body)
    const answer = await call()
    answer.pause()
    let taken = -1
    await until(() => {
      const before = taken
      taken = state.taken
      expect(taken).toBe(before)
    })
    expect(taken).toBeLessThan(1000)
    let bytes = 0
    for await (const read of answer) bytes += read.length
    expect(bytes).toBe(2000 * piece.length)
    expect(state.isLeft).toBe(false)
  })

  test('that breaks off is broken off, and not taken for whole', async () => {
    let breakOff = () => {}
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(Buffer.from('a beginning'))
        breakOff = () => controller.error(Object.assign(new Error('gone'), { name: 'AppError' }))
      },
    })
    handle = () => new Response(body)
    const answer = await call()
    answer.once('data', () => breakOff())
    await expect(textOf(answer)).rejects.toThrow()
    expect(answer.complete).toBe(false)
  })

  test('that cannot be made hangs up, and the server goes on', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    handle = () => {
      throw new Error('a fault')
    }
    await expect(call()).rejects.toThrow()
    expect(told).toHaveBeenCalledOnce()
    told.mockRestore()
    handle = () => new Response('well')
    expect(await textOf(await call())).toBe('well')
  })
})

describe('a client that goes away', () => {
  test('before the answer is there aborts the request', async () => {
    let signal: AbortSignal | undefined
    const { state, body } = silence()
    let answer = (_: Response) => {}
    handle = (request) => {
      signal = request.signal
      return new Promise((resolve) => {
        answer = resolve
      })
    }
    const socket = speak(head('content-length: 0'))
    await until(() => expect(signal?.aborted).toBe(false))
    socket.destroy()
    await until(() => expect(signal?.aborted).toBe(true))
    // Who does not listen to that is told again.
    answer(new Response(body))
    await until(() => expect(state.isLeft).toBe(true))
  })

  test('in the middle of an answer aborts the request, and the body is left', async () => {
    let signal: AbortSignal | undefined
    const { state, body } = silence()
    handle = (request) => {
      signal = request.signal
      return new Response(body)
    }
    const socket = speak(head('content-length: 0'))
    await until(() => expect(signal).toBeDefined())
    socket.destroy()
    await until(() => expect([signal?.aborted, state.isLeft]).toEqual([true, true]))
  })

  test('while it reads nothing, too', async () => {
    const { state, body } = bodyOf(100_000, Buffer.alloc(64 * 1024))
    handle = () => new Response(body)
    const answer = await call()
    answer.pause()
    await sleep(50)
    answer.destroy()
    await until(() => expect(state.isLeft).toBe(true))
  })

  test('after the answer aborts nothing', async () => {
    let signal: AbortSignal | undefined
    handle = (request) => {
      signal = request.signal
      return new Response('all')
    }
    const answer = await call({ headers: { connection: 'close' } })
    expect(await textOf(answer)).toBe('all')
    await sleep(20)
    expect(signal?.aborted).toBe(false)
  })
})
