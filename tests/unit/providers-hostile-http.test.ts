import zlib from 'node:zlib'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { callTo, compatibleKey, type Heard, hear, patient } from '../support/model-call'
import { expectFault } from '../support/model-fault'
import { framesOf } from '../support/model-frames'
import { expectSound } from '../support/model-sound'
import { type RawServer, startHttp, startTcp } from '../support/raw-server'

let raw: RawServer | undefined
afterEach(async () => {
  vi.restoreAllMocks()
  await raw?.close()
  raw = undefined
})

const sse = { 'content-type': 'text/event-stream' }
const emptyComments = Buffer.alloc(80 * 1024 * 1024, ':\n')
const bombs = {
  br: zlib.brotliCompressSync(emptyComments, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: zlib.gzipSync(emptyComments),
  deflate: zlib.deflateSync(emptyComments),
}

describe.each(['openai', 'openai-compatible'] as const)('%s', (provider) => {
  const fine = {
    said: [{ kind: 'text' as const, piece: 'Fine.', part: 0 }],
    end: 'completed',
    isSilent: false,
  }
  const body = framesOf(provider, fine)
    .map((data) => `data: ${data}\n\n`)
    .join('')

  async function hearFrom(server: Promise<RawServer>, timeouts = patient): Promise<Heard> {
    raw = await server
    const heard = await hear(callTo({ ...compatibleKey(raw.baseUrl), provider }, { timeouts }))
    expectSound(heard)
    return heard
  }

  test.each([
    'text/html',
    'text/plain',
    'application/octet-stream',
    'text/event-streams',
    'multipart/mixed',
    '*/*',
    ' ',
  ])('is not taken for an answer as %j', async (type) => {
    const heard = await hearFrom(
      startHttp((_, response) => response.writeHead(200, { 'content-type': type }).end(body)),
    )
    expect(heard.text).toBe('')
    expectFault(heard, ['provider_failed', 'vault', /answered with a web page|did not answer as a model/])
  })

  test.each([300, 301, 302, 303, 304, 307, 308])(
    'is not followed elsewhere with status %i',
    async (status) => {
      const other = await startHttp((_, response) => response.end())
      const heard = await hearFrom(
        startHttp((_, response) =>
          response.writeHead(status, { ...sse, location: other.baseUrl }).end('data: x\n\n'),
        ),
      )
      await other.close()
      expectFault(heard, ['provider_failed', 'vault', /wants to send the request to another address/])
      expect(other.requests).toHaveLength(0)
    },
  )

  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n'
  const whole = `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  const hints =
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n'
  const onWire = (bytes: string, end = true) =>
    startTcp((socket) => {
      socket.once('data', () => (end ? socket.end(bytes) : socket.write(bytes)))
    })

  test('may give hints before it answers', async () => {
    expect(await hearFrom(onWire(hints + whole))).toMatchObject({ text: 'Fine.', error: null })
  })

  test.each([
    [
      'another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhi',
      /not answer in HTTP/,
    ],
    ['two lengths', `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n`, /not answer in HTTP/],
    ['a length that is none', `${head}content-length: -1\r\n\r\n`, /not answer in HTTP/],
    ['a chunk that is none', `${head}transfer-encoding: chunked\r\n\r\nzz\r\n`, /not answer in HTTP/],
    ['headers too large', `${head}x-a: ${'x'.repeat(100_000)}\r\n\r\n`, /not answer in HTTP/],
    ['an older HTTP', 'HTTP/0.9 200\r\n\r\n', /not answer in HTTP|ended the answer/],
    ['a status that is none', `HTTP/1.1 999 What\r\n\r\n`, /had an error of its own \(status 999\)/],
    ['no body', `${head}content-length: 0\r\n\r\n`, /ended the answer before it was complete/],
    ['less than it promised', `${head}content-length: 99999\r\n\r\n`, /broke before the answer began/],
  ])('is explained when it sends %s', async (_, bytes, message) => {
    const heard = await hearFrom(onWire(bytes))
    expect(heard.error?.message).toMatch(message)
  })

  test('may send a second answer that nobody asked for', async () => {
    expect(await hearFrom(onWire(whole + whole, false))).toMatchObject({ text: 'Fine.', error: null })
  })

  /** One byte at a time, for ever. */
  const drip = (opening: string, again: string) =>
    startTcp((socket) => {
      socket.once('data', () => {
        socket.write(opening)
        const timer = setInterval(() => socket.write(again), 10)
        socket.once('close', () => clearInterval(timer))
      })
    })
  const short = { ...patient, firstByteMs: 150, totalMs: 300 }

  test.each([
    ['headers', 'HTTP/1.1 200 OK\r\nx-slow: ', 'x', /did not begin to answer within/],
    ['a hint', 'HTTP/1.1 103 Early Hints\r\nx-slow: ', 'x', /did not begin to answer within/],
    ['comments', `${head}\r\n: `, 'x', /took longer than/],
    ['an event', `${head}\r\ndata: `, 'x', /took longer than/],
    ['empty lines', `${head}\r\n`, '\n', /took longer than/],
  ])('may not dribble %s for ever', async (_, opening, again, message) => {
    expectFault(await hearFrom(drip(opening, again), short), ['provider_timeout', 'retry', message])
  })

  test('may not dribble an error for ever', async () => {
    const heard = await hearFrom(drip('HTTP/1.1 429 Slow\r\n\r\n{"error":{"message":"', 'x'), short)
    expectFault(heard, ['provider_failed', 'retry', /too many requests/])
  })

  test.each(['br', 'gzip', 'deflate'] as const)(
    'may not go on unpacking %s when all is over',
    async (encoding) => {
      const streams: zlib.BrotliDecompress[] = []
      for (const name of ['createBrotliDecompress', 'createUnzip'] as const) {
        const create = zlib[name]
        vi.spyOn(zlib, name).mockImplementation(() => {
          const stream = create()
          streams.push(stream as zlib.BrotliDecompress)
          return stream as zlib.BrotliDecompress & zlib.Unzip
        })
      }
      const heard = await hearFrom(
        startHttp((_, response) =>
          response.writeHead(200, { ...sse, 'content-encoding': encoding }).end(bombs[encoding]),
        ),
      )
      expect(heard.error?.message).toMatch(/sent far more data than an answer needs/)
      expect(streams.map(({ destroyed }) => destroyed)).toEqual([true])
    },
  )

  test.each(['zstd', 'gzip, gzip', 'x-nothing'])(
    'is explained when it packs its answer as %s',
    async (encoding) => {
      const headers = { ...sse, 'content-encoding': encoding }
      const heard = await hearFrom(startHttp((_, response) => response.writeHead(200, headers).end(body)))
      expectFault(heard, ['provider_failed', 'retry', /cannot be read as an answer/])
    },
  )
})
