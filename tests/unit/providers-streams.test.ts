import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { AppError } from '../../lib/errors'
import { streamModel } from '../../lib/providers'
import { EventCutter, maxEventBytes } from '../../lib/providers/events'
import { callTo, compatibleKey, hear, openaiKey, patient } from '../support/model-call'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { type RawServer, startHttp } from '../support/raw-server'

let upstream: OpenAIServer
let raw: RawServer | undefined
beforeAll(async () => {
  upstream = await startOpenAI()
})
afterAll(() => upstream.close())
beforeEach(() => upstream.reset())
afterEach(async () => {
  await raw?.close()
  raw = undefined
})

const sse = { 'content-type': 'text/event-stream' }
const text = fc.string({ unit: 'binary', maxLength: 40 })

/** Cuts bytes at the given places, which may lie anywhere. */
function cutAt(bytes: Buffer, places: number[]): Buffer[] {
  const cuts = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return cuts.map((cut, index) => bytes.subarray(cuts[index - 1] ?? 0, cut))
}

function cutEvents(pieces: Buffer[]): string[] {
  const events: string[] = []
  const cutter = new EventCutter(
    (data) => events.push(data),
    () => new AppError('provider_failed', 'Too large.'),
  )
  for (const piece of pieces) cutter.push(piece)
  cutter.end()
  return events
}

describe('cutting events', () => {
  const ending = fc.constantFrom('\n', '\r\n', '\r')
  const noise = fc.constantFrom(
    '',
    ': comment',
    'id: 7',
    'event: x',
    'retry: 1',
    'dat',
    'datapoint: 1',
    'data\u200b: 1',
  )

  test('gives the data of any stream cut anywhere', () => {
    const event = fc.record({
      lines: fc.array(text, { minLength: 1, maxLength: 3 }),
      noise,
      space: fc.boolean(),
    })
    const stream = fc.record({ events: fc.array(event, { maxLength: 6 }), ending, bom: fc.boolean() })
    fc.assert(
      fc.property(stream, fc.array(fc.nat(2000), { maxLength: 30 }), ({ events, ending, bom }, places) => {
        const wanted = events.map(({ lines }) =>
          lines.map((line) => line.replaceAll(/[\r\n]/g, '')).map(trimSpace),
        )
        const body = events.map(({ noise, space }, index) =>
          [noise, ...(wanted[index] ?? []).map((line) => `data:${space ? ' ' : ''}${line}`), '', ''].filter(
            (line, at) => at > 0 || line !== '',
          ),
        )
        const bytes = Buffer.from((bom ? '\ufeff' : '') + body.map((lines) => lines.join(ending)).join(''))
        expect(cutEvents(cutAt(bytes, places))).toEqual(wanted.map((lines) => lines.join('\n')))
      }),
    )
  })

  // One space after the colon belongs to the framing.
  const trimSpace = (line: string) => line.replace(/^ +/, '')

  test('gives out an event that lacks only its empty line, and no line cut in two', () => {
    expect(cutEvents([Buffer.from('data: 1\n\ndata: 2\n')])).toEqual(['1', '2'])
    expect(cutEvents([Buffer.from('data: 1\n\ndata: 2')])).toEqual(['1'])
  })

  test('takes an event up to the cap and refuses one beyond', () => {
    const filler = Buffer.alloc(1024 * 1024, 'x')
    const grow = (mebibytes: number) =>
      cutEvents([Buffer.from('data:'), ...Array(mebibytes).fill(filler), Buffer.from('\n\n')])
    expect(grow(maxEventBytes / filler.length - 1)[0]).toHaveLength(maxEventBytes - filler.length)
    expect(() => grow(maxEventBytes / filler.length)).toThrow('Too large.')
    const lines = Buffer.from(`data:${'x'.repeat(1024 * 1024)}\n`)
    expect(() => cutEvents(Array(17).fill(lines))).toThrow('Too large.')
  })
})

/** What a reader must get: the same text, but for what no database stores. */
const storable = (whole: string) => whole.replaceAll('\0', '\ufffd').toWellFormed()

function deltaEvent(provider: 'openai' | 'openai-compatible', delta: string): string {
  const event =
    provider === 'openai'
      ? { type: 'response.output_text.delta', delta, obfuscation: 'x' }
      : { choices: [{ index: 0, delta: { content: delta } }] }
  return `data: ${JSON.stringify(event)}\n\n`
}

const endings = {
  openai: 'data: {"type":"response.completed","response":{"usage":null}}\n\n',
  'openai-compatible':
    'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
}

describe.each(['openai', 'openai-compatible'] as const)('any text of %s', (provider) => {
  test('arrives whole, however it was cut into deltas and writes', async () => {
    let writes: Buffer[] = []
    raw = await startHttp(async (_, response) => {
      response.writeHead(200, sse)
      for (const piece of writes) {
        response.write(piece)
        await new Promise(setImmediate)
      }
      response.end()
    })
    const key = { ...compatibleKey(raw.baseUrl), provider }
    // Units of UTF-16, so that characters are cut in two as well.
    const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code))
    const half = fc.constantFrom('\ud83d', '\ude00')
    const deltas = fc.array(
      fc.oneof(
        text,
        half,
        fc.array(unit, { maxLength: 4 }).map((units) => units.join('')),
      ),
      { maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(deltas, fc.array(fc.nat(3000), { maxLength: 12 }), async (pieces, places) => {
        const body = pieces.map((piece) => deltaEvent(provider, piece)).join('') + endings[provider]
        writes = cutAt(Buffer.from(body), places)
        const heard = await hear(callTo(key))
        expect(heard.error).toBeNull()
        expect(heard.text).toBe(storable(pieces.join('')))
      }),
      { numRuns: 60 },
    )
  })
})

test('text that waits is joined into one event', async () => {
  raw = await startHttp((_, response) => {
    const body = Array.from({ length: 500 }, (_, index) => deltaEvent('openai', `${index} `)).join('')
    response.writeHead(200, sse).end(body + endings.openai)
  })
  const heard = await hear(callTo(openaiKey(raw.baseUrl)))
  expect(heard.text.split(' ')).toHaveLength(501)
  expect(heard.events.length).toBeLessThan(20)
})

describe('a hostile server', () => {
  /** Sends the same bytes until the other side is gone, and counts what it could send. */
  async function flood(opening: string, again: string) {
    let sentBytes = 0
    raw = await startHttp((_, response) => {
      response.writeHead(200, sse).write(opening)
      const bytes = Buffer.from(again)
      const send = () => {
        while (!response.destroyed && response.write(bytes)) sentBytes += bytes.length
        if (!response.destroyed) sentBytes += bytes.length
      }
      response.on('drain', send)
      send()
    })
    const heard = await hear(callTo(openaiKey(raw.baseUrl)))
    return { ...heard, sentBytes }
  }

  test('with one event without end is cut off', async () => {
    const { error, sentBytes } = await flood(
      'data: {"type":"response.output_text.delta","delta":"',
      'x'.repeat(65536),
    )
    expect(error?.message).toMatch(/sent far more data than an answer needs/)
    expect(sentBytes).toBeLessThan(maxEventBytes * 3)
  })

  test('with an answer without end is cut off at 10 MB, which are kept', async () => {
    const { error, text } = await flood('', deltaEvent('openai', 'word '.repeat(8000)))
    expect(error?.message).toMatch(/grew beyond 10 MB and was ended\. What arrived is kept/)
    expect(text.length).toBeGreaterThan(10 * 1024 * 1024 - 100_000)
    expect(text.length).toBeLessThanOrEqual(10 * 1024 * 1024)
  })

  test.each([
    ['comments', ': nothing\n'.repeat(6000)],
    ['empty lines', '\n'.repeat(65536)],
    ['unknown events', 'data: {"type":"response.shimmer"}\n\n'.repeat(2000)],
    ['empty deltas', deltaEvent('openai', '').repeat(800)],
  ])('that only sends %s is cut off', async (_, noise) => {
    const { error } = await flood(deltaEvent('openai', 'Begun.'), noise)
    expect(error?.message).toMatch(
      /sent far more data than an answer needs, so the answer was ended\. What arrived is kept/,
    )
  })

  test('cannot reach into the program with names of its fields', async () => {
    const evil =
      '{"type":"__proto__","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'
    raw = await startHttp((_, response) => {
      response.writeHead(200, sse).end(`data: ${evil}\n\n${deltaEvent('openai', 'Fine.')}${endings.openai}`)
    })
    expect((await hear(callTo(openaiKey(raw.baseUrl)))).text).toBe('Fine.')
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test('with any bytes at all gives a typed error or an end, never a crash', async () => {
    let body = Buffer.alloc(0)
    raw = await startHttp((_, response) => response.writeHead(200, sse).end(body))
    const scrap = fc.constantFrom(
      'data: ',
      '{"type":"error"',
      '{"type":',
      '"response.completed"',
      '}',
      '[',
      ']',
      '\n\n',
      'null',
      '1',
      '{"choices":[',
      '{"error":',
      '"delta":{"content":',
      '"usage":',
      '[DONE]',
    )
    const scraps = fc
      .array(fc.oneof(scrap, text), { maxLength: 30 })
      .map((parts) => Buffer.from(parts.join('')))
    const bytes = fc.oneof(
      scraps,
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    )
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.constantFrom('openai' as const, 'openai-compatible' as const),
        async (garbage, provider) => {
          body = garbage
          const { error, done } = await hear(callTo({ ...compatibleKey(raw?.baseUrl ?? ''), provider }))
          if (done === null) expect(error?.code).toMatch(/^(provider_|invalid_input)/)
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('giving up', () => {
  const endless = { text: Array<string>(10_000).fill('on '), delayMs: 5 }

  async function seenLeaving(): Promise<number> {
    for (;;) {
      const at = upstream.journal[0]?.closedByClientAt
      if (at !== undefined) return at
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  test('by the signal closes the connection at once and throws its reason', async () => {
    upstream.script(endless)
    const stop = new AbortController()
    const reason = new Error('Stopped by the reader.')
    let hasStopped = false
    const heard = (async () => {
      for await (const event of streamModel(callTo(openaiKey(upstream.baseUrl), { signal: stop.signal }))) {
        if (event.type !== 'text' || hasStopped) continue
        hasStopped = true
        stop.abort(reason)
      }
    })()
    await expect(heard).rejects.toBe(reason)
    expect(await seenLeaving()).toBeGreaterThan(0)
  })

  test('while a silent server is waited for closes the connection too', async () => {
    upstream.script({ firstByteDelayMs: 60_000 })
    const stop = new AbortController()
    const heard = hear(callTo(openaiKey(upstream.baseUrl), { signal: stop.signal }))
    while (upstream.journal.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    stop.abort()
    await heard
    expect(await seenLeaving()).toBeGreaterThan(0)
  })

  test('before the start sends nothing', async () => {
    const signal = AbortSignal.abort(new Error('Never mind.'))
    const iterate = async () => {
      for await (const _ of streamModel(callTo(openaiKey(upstream.baseUrl), { signal })));
    }
    await expect(iterate()).rejects.toThrow('Never mind.')
    expect(upstream.journal).toHaveLength(0)
  })

  test('by leaving the loop closes the connection', async () => {
    upstream.script(endless)
    for await (const _ of streamModel(callTo(openaiKey(upstream.baseUrl)))) break
    expect(await seenLeaving()).toBeGreaterThan(0)
  })

  test('leaves no listener on the signal', async () => {
    const { signal } = new AbortController()
    for (const script of [{ text: 'Yes.' }, { error: 500 }, { end: 'reset' as const }]) {
      upstream.script(script)
      await hear(callTo(openaiKey(upstream.baseUrl), { signal }))
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})

test('a reader that does not read keeps the server waiting, not the memory full', async () => {
  let sentBytes = 0
  raw = await startHttp((_, response) => {
    const bytes = Buffer.from(deltaEvent('openai', 'word '.repeat(2000)))
    response.writeHead(200, sse)
    const send = () => {
      while (sentBytes < 9_000_000 && response.write(bytes)) sentBytes += bytes.length
      if (sentBytes >= 9_000_000) response.end(endings.openai)
      else sentBytes += bytes.length
    }
    response.on('drain', send)
    send()
  })
  // Our own delay is no silence of the server's.
  const timeouts = { ...patient, idleMs: 1000 }
  const events = streamModel(callTo(openaiKey(raw.baseUrl), { timeouts }))[Symbol.asyncIterator]()
  const first = await events.next()
  let before = -1
  while (sentBytes !== before) {
    before = sentBytes
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect(sentBytes).toBeLessThan(9_000_000)
  let length = first.value?.type === 'text' ? first.value.text.length : 0
  for await (const event of { [Symbol.asyncIterator]: () => events })
    if (event.type === 'text') length += event.text.length
  expect(length).toBeGreaterThan(8_000_000)
})

test('one connection serves one answer after the other', async () => {
  const ports = new Set<number | undefined>()
  raw = await startHttp((request, response) => {
    ports.add(request.socket.remotePort)
    // The last event first, and the end of the body a moment later.
    response.writeHead(200, sse).write(deltaEvent('openai', 'Yes.') + endings.openai)
    setTimeout(() => response.end(), 20)
  })
  for (let turn = 0; turn < 3; turn++) {
    expect(await hear(callTo(openaiKey(raw.baseUrl)))).toMatchObject({ text: 'Yes.', error: null })
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  expect(ports.size).toBe(1)
})

test('a body that does not end after the answer keeps nobody waiting, and is closed', async () => {
  let isClosed = false
  raw = await startHttp((_, response) => {
    response.writeHead(200, sse).write(deltaEvent('openai', 'Yes.') + endings.openai)
    response.on('close', () => {
      isClosed = true
    })
  })
  expect(await hear(callTo(openaiKey(raw.baseUrl)))).toMatchObject({ text: 'Yes.', error: null })
  while (!isClosed) await new Promise((resolve) => setTimeout(resolve, 20))
})

test('a kept connection that the server closed meanwhile is replaced without a word', async () => {
  const served: number[] = []
  raw = await startHttp((request, response) => {
    served.push(request.socket.remotePort ?? 0)
    response.writeHead(200, sse).end(deltaEvent('openai', 'Yes.') + endings.openai, () => {
      setTimeout(() => request.socket.destroy(), 20)
    })
  })
  for (let turn = 0; turn < 5; turn++) {
    expect(await hear(callTo(openaiKey(raw.baseUrl)))).toMatchObject({ text: 'Yes.', error: null })
    await new Promise((resolve) => setTimeout(resolve, 19))
  }
  expect(served).toHaveLength(5)
})
