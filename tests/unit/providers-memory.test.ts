import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { compatibleKey, patient } from '../support/model-call'
import type { Provider } from '../support/model-frames'
import { hearApart } from '../support/model-memory'
import { type RawServer, startFlood, startHttp, startTcpFlood } from '../support/raw-server'

let raw: RawServer | undefined
afterEach(async () => {
  await raw?.close()
  raw = undefined
})

const mebibyte = 1024 * 1024
/** A process that hears one short answer takes 100 MB; the largest event that is taken, read and parsed, needs the rest. */
const mostMb = 350

function delta(provider: Provider, text: string): string {
  const openai = { type: 'response.output_text.delta', delta: text }
  const other = { choices: [{ index: 0, delta: { content: text } }] }
  return `data: ${JSON.stringify(provider === 'openai' ? openai : other)}\n\n`
}

async function hearFrom(server: Promise<RawServer>, provider: Provider) {
  raw = await server
  const heard = await hearApart({ key: { ...compatibleKey(raw.baseUrl), provider }, timeouts: patient })
  expect(heard.unhandled).toEqual([])
  expect(heard.isDone).toBe(false)
  expect(heard.error?.name).toBe('AppError')
  expect(heard.error?.code).toBe('provider_failed')
  expect(heard.peakMb).toBeLessThan(mostMb)
  return { ...heard, message: heard.error?.message ?? '' }
}

/** Many small things in one event of 15 MB. */
const within = (item: string) => ({
  opening: 'data: {"type":"x","choices":[',
  again: item.repeat(Math.floor(60_000 / item.length)),
  times: 255,
  closing: 'null]}\n\n',
})
const packed = (encoding: 'gzip' | 'br', body: Buffer) => {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 5 }
  const bytes = encoding === 'gzip' ? gzipSync(body) : brotliCompressSync(body, { params })
  const headers = { 'content-type': 'text/event-stream', 'content-encoding': encoding }
  return startHttp((_, response) => response.writeHead(200, headers).end(bytes))
}

describe.each(['openai', 'openai-compatible'] as const)('memory is bounded for %s', (provider) => {
  const begun = delta(provider, 'Begun.')
  const endless = begun.replace('"Begun."', '"').split('"}')[0] ?? ''

  test('when one event has 50 MB', async () => {
    const flood = { opening: begun + endless, again: 'x'.repeat(65_536), times: 800, closing: '"}\n\n' }
    const { message, start, units } = await hearFrom(startFlood(flood), provider)
    expect(message).toMatch(/sent far more data than an answer needs.*What arrived is kept/)
    expect(`${start} ${units}`).toBe('Begun. 6')
  })

  test('when the answer does not end', async () => {
    const again = delta(provider, 'words '.repeat(1000))
    const { message, units } = await hearFrom(startFlood({ again }), provider)
    expect(message).toMatch(/grew beyond 10 MB and was ended\. What arrived is kept/)
    expect(units).toBeLessThanOrEqual(10 * mebibyte)
    expect(units).toBeGreaterThan(10 * mebibyte - 6000)
  })

  test('when the last letter that has room is cut in two', async () => {
    const filler = Buffer.from(delta(provider, 'x'.repeat(mebibyte)))
    const last = delta(provider, 'x'.repeat(mebibyte - 1)) + delta(provider, '\ud83d')
    raw = await startHttp(async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let sent = 0; sent < 9; sent++) response.write(filler)
      response.write(last, () => setTimeout(() => response.socket?.resetAndDestroy(), 200))
    })
    const { units } = await hearFrom(Promise.resolve(raw), provider)
    expect(units).toBe(10 * mebibyte - 1)
  })
})

test.each([
  ['openai', 'objects', within('{},')],
  ['openai-compatible', 'lists in lists', within('[')],
  ['openai', 'objects in objects', within('{"a":')],
] as const)('memory is bounded when one event of %s is made of %s', async (provider, _, flood) => {
  const { message } = await hearFrom(startFlood(flood), provider)
  expect(message).toMatch(/sent something that cannot be read as an answer/)
})

test.each(['data', 'data:', 'data: '])(
  'memory is bounded when an event has %j lines without end',
  async (line) => {
    const { message } = await hearFrom(startFlood({ again: `${line}\n`.repeat(10_000) }), 'openai')
    expect(message).toMatch(/sent far more data than an answer needs/)
  },
)

test('memory is bounded when an error has 15 MB of words', async () => {
  const flood = {
    opening: 'data: {"error":{"message":"',
    again: 'no sk-1 '.repeat(8000),
    times: 240,
    closing: '"}}\n\n',
  }
  const { message } = await hearFrom(startFlood(flood), 'openai-compatible')
  expect(message).toMatch(/had an error of its own: “no sk-1 no/)
  expect(message.length).toBeLessThan(500)
})

test('memory is bounded when an error by status does not end', async () => {
  const flood = {
    status: 500,
    headers: { 'content-type': 'application/json' },
    again: '{"error":'.repeat(7000),
  }
  const { message } = await hearFrom(startFlood(flood), 'openai')
  expect(message).toMatch(/had an error of its own \(status 500\)/)
})

test.each([
  ['gzip', 'comments', Buffer.alloc(200 * mebibyte, ':\n')],
  ['br', 'comments', Buffer.alloc(200 * mebibyte, ':\n')],
  ['gzip', 'one event', Buffer.concat([Buffer.from('data: "'), Buffer.alloc(200 * mebibyte, 'x')])],
] as const)('memory is bounded when %s unpacks to %s without end', async (encoding, _, body) => {
  const { message } = await hearFrom(packed(encoding, body), 'openai-compatible')
  expect(message).toMatch(/sent far more data than an answer needs/)
})

test.each([
  ['headers', 'HTTP/1.1 200 OK\r\n', 'x-flood: yes\r\n'.repeat(1000)],
  ['hints', '', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(500)],
  ['permissions to go on', '', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(500)],
  ['trailers', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n', 'x-flood: yes\r\n'.repeat(1000)],
  ['chunk extensions', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;a=', 'x'.repeat(10_000)],
])('memory is bounded when %s do not end', async (_, opening, again) => {
  const { message } = await hearFrom(startTcpFlood(opening, again), 'openai')
  expect(message).toMatch(/does not answer in HTTP/)
})
