import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AppError } from '../../lib/errors'
import { type Forwarded, forwardCall } from '../../lib/providers'
import { openaiKey, patient } from '../support/model-call'
import { type RawServer, startTcp } from '../support/raw-server'

let server: RawServer
afterEach(() => server.close())

const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
const event = (index: number) => `data: {"n":${index}}\n\n`
const events = Array.from({ length: 500 }, (_, index) => event(index))

/** A chunk of HTTP for each event, as model servers send them. */
const chunked = (texts: string[]) =>
  texts.map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join('')

type Tap = Parameters<typeof forwardCall>[0]['tap']

function forward(tap: Partial<Tap> = {}): Promise<Forwarded> {
  return forwardCall({
    key: openaiKey(server.baseUrl),
    method: 'GET',
    path: '/anything',
    headers: {},
    timeouts: patient,
    signal: new AbortController().signal,
    tap: { chunk: () => false, over: () => undefined, ...tap },
  })
}

async function readPieces({ body }: Forwarded): Promise<string[]> {
  const pieces: string[] = []
  for await (const piece of body) pieces.push(Buffer.from(piece).toString())
  return pieces
}

test('events that have come together go on together, and not one a turn', async () => {
  server = await startTcp((socket) => {
    socket.once('data', () => socket.end(`${head}${chunked(events)}0\r\n\r\n`))
  })
  const seen: string[] = []
  const tap = { chunk: (bytes: Uint8Array) => seen.push(Buffer.from(bytes).toString()) < 0 }
  const pieces = await readPieces(await forward(tap))
  expect(pieces.join('')).toBe(events.join(''))
  expect(pieces.length).toBeLessThan(events.length / 10)
  expect(seen).toEqual(pieces)
})

test('what had come goes on before the last words for a connection that broke with it', async () => {
  let goOn: () => void = () => undefined
  server = await startTcp((socket) => {
    socket.once('data', () => socket.write(head))
    // The parser meets what is no chunk in the very same bytes.
    goOn = () => socket.end(`${chunked(events)}this is no chunk\r\n`)
  })
  const ends: string[] = []
  const over = (how: string) => void ends.push(how)
  const answer = await forward({ over, lastWords: () => Buffer.from('data: over\n\n') })
  goOn()
  const pieces = await readPieces(answer)
  expect(pieces.join('')).toBe(`${events.join('')}data: over\n\n`)
  expect(ends).toEqual(['broken'])
})

test('what whoever listens in throws is the end of the call', async () => {
  server = await startTcp((socket) => {
    socket.once('data', () => socket.write(head + chunked(events)))
  })
  const chunk = () => {
    throw new AppError('provider_failed', 'No such thing.')
  }
  const answer = await forward({ chunk })
  await expect(readPieces(answer)).rejects.toMatchObject({
    code: 'provider_failed',
    message: 'No such thing.',
  })
})

describe('while no turn comes', () => {
  const tickMs = 25
  const eagerPieces = 8
  let say: (text: string) => void

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    server = await startTcp((socket) => {
      socket.once('data', () => socket.write(head))
      say = (text) => void socket.write(text)
    })
  })
  afterEach(() => {
    // Whoever waits still is let go, so that no timer is left behind that is none any more.
    vi.advanceTimersByTime(10 * tickMs)
    vi.useRealTimers()
  })

  /** Says one event after the other, each when the one before has come; returns how many came. */
  async function converse(reader: ReadableStreamDefaultReader<Uint8Array>, count: number): Promise<number> {
    for (let index = 0; index < count; index++) {
      say(chunked([event(index)]))
      const piece = await Promise.race([reader.read(), sleep(300, null)])
      if (piece === null) return index
    }
    return count
  }

  test('first words go on, and what follows waits', async () => {
    const { body } = await forward()
    expect(await converse(body.getReader(), 100)).toBe(eagerPieces + 1)
  })

  test('first words after a silence go on again', async () => {
    const { body } = await forward()
    const reader = body.getReader()
    expect(await converse(reader, eagerPieces + 1)).toBe(eagerPieces + 1)
    const next = reader.read()
    vi.advanceTimersByTime(tickMs)
    await sleep(300)
    say(chunked([event(0)]))
    await next
    expect(await converse(reader, eagerPieces - 1)).toBe(eagerPieces - 1)
  })

  test('last words do not keep anybody waiting for the end', async () => {
    const { body } = await forward()
    const reader = body.getReader()
    await converse(reader, eagerPieces + 1)
    const last = reader.read()
    say(`${chunked(['data: the last\n\n'])}0\r\n\r\n`)
    vi.advanceTimersByTime(tickMs)
    expect(Buffer.from((await last).value ?? []).toString()).toBe('data: the last\n\n')
    expect((await reader.read()).done).toBe(true)
  })
})
