import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { log } from '../../lib/log'
import { cancelResponse, streamModel } from '../../lib/providers'
import { callTo, canary, compatibleKey, hear, openaiKey, patient } from '../support/model-call'
import { expectFault } from '../support/model-fault'
import { type OpenAIServer, type Script, startOpenAI } from '../support/openai'
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

const words = ['Grüße', ' aus', ' 東京', ', 👩‍👩‍👧', ' and\nback', ' "quoted" \\ ', '{}', ' fin.']
const reasoning = ['First I look.', 'Then I leap.']
const key = () => openaiKey(upstream.baseUrl)

function ask(script: Script, changes = {}) {
  upstream.script(script)
  return hear(callTo(key(), { background: true, ...changes }))
}

const paths = () => upstream.journal.map(({ method, path }) => `${method} ${path.replace(/resp_\w+/, 'ID')}`)

describe('an answer in the background', () => {
  test('is asked for so that it is kept, and named before anything is said', async () => {
    const heard = await ask({ text: words, reasoning })
    expect(upstream.journal[0]?.body).toMatchObject({ background: true, store: true, stream: true })
    expect(heard.events[0]).toEqual({ type: 'resumable', responseId: expect.stringMatching(/^resp_\w+$/) })
    expect(heard.events.filter(({ type }) => type === 'resumable')).toHaveLength(1)
    expect(heard).toMatchObject({ text: words.join(''), reasoning: reasoning.join('\n\n'), error: null })
  })

  test('carries cursors that only rise', async () => {
    const { events } = await ask({ text: words, reasoning, delayMs: 2 })
    const cursors = events.flatMap((event) => ('text' in event ? [event.cursor ?? Number.NaN] : []))
    expect(cursors.length).toBeGreaterThan(2)
    expect(cursors).toEqual([...new Set(cursors)].sort((a, b) => a - b))
  })

  test('in the foreground has neither name nor cursors', async () => {
    upstream.script({ text: words })
    const { events } = await hear(callTo(key()))
    expect(events.some((event) => event.type === 'resumable' || 'cursor' in event)).toBe(false)
  })

  test.each([
    { end: 'reset' },
    { end: 'cut_mid_event', close: 'clean' },
    { end: 'cut_mid_event', close: 'abrupt' },
    { end: 'cut_mid_character', close: 'clean' },
    { end: 'cut_before_end', close: 'abrupt' },
    { end: 'stall' },
  ] satisfies Script[])('goes on unnoticed after %o', async (fault) => {
    const script = { text: words, reasoning, ...fault }
    const heard = await ask(script, { timeouts: { ...patient, idleMs: 300 } })
    expect(heard).toMatchObject({ text: words.join(''), reasoning: reasoning.join('\n\n'), error: null })
    expect(heard.done?.finish).toBe('stop')
    expect(heard.events.filter(({ type }) => type === 'resumable')).toHaveLength(1)
    expect(paths()).toEqual([
      'POST /v1/responses',
      expect.stringMatching(/^GET \/v1\/responses\/ID\?stream=true&starting_after=\d+$/),
    ])
  })

  test('is read to the end although it breaks again and again', async () => {
    upstream.script({ match: { path: '/v1/responses/', method: 'GET' }, end: 'reset', after: 4 })
    upstream.script({ match: { path: '/v1/responses/', method: 'GET' }, error: 503 })
    upstream.script({ match: { path: '/v1/responses/', method: 'GET' }, end: 'stall', after: 6 })
    const heard = await ask(
      { text: words, end: 'reset', after: 2 },
      { timeouts: { ...patient, idleMs: 300 } },
    )
    expect(heard).toMatchObject({ text: words.join(''), error: null })
    expect(upstream.journal).toHaveLength(5)
  })

  test('that the provider no longer has ends with what went wrong at first', async () => {
    upstream.script({ match: { path: '/v1/responses/', method: 'GET' }, error: 404 })
    const heard = await ask({ text: words, end: 'reset' })
    expect(words.join('')).toContain(heard.text)
    expectFault(heard, [
      'provider_failed',
      'retry',
      /broke before the answer was complete\. What arrived is kept/,
    ])
    expect(upstream.journal).toHaveLength(2)
  })

  test('takes no longer than it may, however often it is resumed', async () => {
    upstream.script(
      { match: { path: '/v1/responses/', method: 'GET' }, end: 'reset', after: 0 },
      { times: 99 },
    )
    const heard = await ask({ text: words, end: 'reset' }, { timeouts: { ...patient, totalMs: 400 } })
    expectFault(heard, [
      'provider_timeout',
      'retry',
      /took longer than 400 milliseconds\. What arrived is kept/,
    ])
    expect(upstream.journal.length).toBeLessThan(5)
  })

  test('that failed is not asked for again', async () => {
    const heard = await ask({ text: words, end: 'failed' })
    expectFault(heard, ['provider_failed', 'retry', /had an error of its own/])
    expect(upstream.journal).toHaveLength(1)
  })

  test.each(['background', 'store'])('is asked for plainly where a server takes no %s', async (param) => {
    const message = `Unsupported parameter: '${param}' is not supported with this model.`
    upstream.script({ error: { status: 400, message, param } })
    const heard = await ask({ text: words })
    expect(heard).toMatchObject({ text: words.join(''), error: null })
    expect(heard.events.some((event) => event.type === 'resumable' || 'cursor' in event)).toBe(false)
    expect(upstream.journal[1]?.body).toMatchObject({ store: false, stream: true })
    expect(upstream.journal[1]?.body).not.toHaveProperty('background')
  })

  test('is asked for once where the server finds another fault', async () => {
    const heard = await ask({ error: 400 })
    expectFault(heard, ['invalid_input', 'settings', /did not accept the request/])
    expect(upstream.journal).toHaveLength(1)
  })

  test('of a server that answers in the foreground is not resumed', async () => {
    raw = await startHttp((_, response) => {
      const created = {
        type: 'response.created',
        sequence_number: 0,
        response: { id: 'resp_1', background: false },
      }
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(`data: ${JSON.stringify(created)}\n\n`)
    })
    const heard = await hear(callTo(openaiKey(raw.baseUrl), { background: true }))
    expectFault(heard, ['provider_failed', 'retry', /ended the answer before it was complete/])
    expect(heard.events).toEqual([])
    expect(raw.requests).toHaveLength(1)
  })

  test.each(['../models', '.', '..', '', '%2e%2e', 'a?b', 'a#b', 'a b', 'x'.repeat(300)])(
    'is never sought under the name %j',
    async (id) => {
      raw = await startHttp((_, response) => {
        const created = { type: 'response.created', sequence_number: 0, response: { id, background: true } }
        response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end(`data: ${JSON.stringify(created)}\n\n`)
      })
      const key = openaiKey(raw.baseUrl)
      expect((await hear(callTo(key, { background: true }))).events).toEqual([])
      await cancelResponse(key, id)
      const resume = { responseId: id, after: 3, began: true }
      expectFault(await hear(callTo(key, { resume })), ['provider_failed', 'retry', /has not kept the rest/])
      expect(raw.requests.map(({ url }) => url)).toEqual(['/v1/responses'])
    },
  )
})

describe('an answer that is taken up', () => {
  test('goes on after the place that is named', async () => {
    const { responseId, events } = await half()
    const taken = events.flatMap((event) => (event.type === 'text' ? [event] : []))
    const after = taken.at(-1)?.cursor ?? -1
    const rest = await hear(callTo(key(), { resume: { responseId, after, began: true } }))
    expect(taken.map(({ text }) => text).join('') + rest.text).toBe(words.join(''))
    expect(rest.events.some(({ type }) => type === 'resumable')).toBe(false)
    expect(upstream.journal.at(-1)?.path).toBe(
      `/v1/responses/${responseId}?stream=true&starting_after=${after}`,
    )
  })

  test('is given whole when nothing of it was taken', async () => {
    const { responseId } = await half()
    const resume = { responseId, after: -1, began: false }
    expect(await hear(callTo(key(), { resume }))).toMatchObject({ text: words.join(''), error: null })
  })

  test('is explained when the provider has it no more', async () => {
    const resume = { responseId: 'resp_gone', after: 3, began: true }
    const heard = await hear(callTo(key(), { resume }))
    expectFault(heard, [
      'provider_failed',
      'retry',
      /OpenAI has not kept the rest of this answer\. What arrived is kept/,
    ])
  })

  test('needs a key that still opens it', async () => {
    upstream.script({ match: { path: '/v1/responses/', method: 'GET' }, error: 401 })
    const heard = await hear(callTo(key(), { resume: { responseId: 'resp_x', after: 3, began: true } }))
    expectFault(heard, ['provider_auth', 'vault', /refused the key/])
  })

  test.each([
    compatibleKey('http://127.0.0.1:9/v1'),
    { provider: 'demo' as const, apiKey: null, baseUrl: '', last4: null },
  ])('is explained when its provider keeps none', async (other) => {
    const heard = await hear(callTo(other, { resume: { responseId: 'resp_x', after: 3, began: true } }))
    expectFault(heard, [
      'provider_failed',
      'retry',
      /cannot resume an answer\. What arrived is kept\. Try again\.$/,
    ])
  })

  /** Asks for an answer and leaves it when its first words are there. */
  async function half() {
    upstream.script({ text: words, delayMs: 20 })
    const events = []
    for await (const event of streamModel(callTo(key(), { background: true }))) {
      events.push(event)
      if (event.type === 'text') break
    }
    const [first] = events
    return { responseId: first?.type === 'resumable' ? first.responseId : '', events }
  }
})

describe('stopping', () => {
  const endless = { text: Array<string>(10_000).fill('on '), delayMs: 5 }

  /** Asks for an answer without end, until it is named. */
  async function begin(signal: AbortSignal) {
    upstream.script(endless)
    const events = streamModel(callTo(key(), { background: true, signal }))[Symbol.asyncIterator]()
    const { value } = await events.next()
    return { events, responseId: value?.type === 'resumable' ? value.responseId : '' }
  }

  const statusOf = async (id: string): Promise<string> => {
    const headers = { authorization: `Bearer ${canary}` }
    const response = await fetch(`${upstream.baseUrl}/responses/${id}`, { headers })
    return ((await response.json()) as { status: string }).status
  }

  test('closes the connection, and the answer goes on until it is cancelled', async () => {
    const stop = new AbortController()
    const { events, responseId } = await begin(stop.signal)
    stop.abort(new Error('Enough.'))
    await expect(events.next()).rejects.toThrow('Enough.')
    while (upstream.journal[0]?.closedByClientAt === undefined)
      await new Promise((done) => setTimeout(done, 5))
    expect(await statusOf(responseId)).toBe('in_progress')
    await cancelResponse(key(), responseId)
    expect(await statusOf(responseId)).toBe('cancelled')
    expect(paths()).toContain('POST /v1/responses/ID/cancel')
  })

  test('while a broken connection is to be made anew makes none', async () => {
    const stop = new AbortController()
    upstream.script({ text: words, end: 'reset', after: 2 })
    const heard = hear(callTo(key(), { background: true, signal: stop.signal }))
    while (upstream.journal[0]?.status === undefined) await new Promise((done) => setTimeout(done, 5))
    stop.abort(new Error('Enough.'))
    await heard
    await new Promise((done) => setTimeout(done, 500))
    expect(upstream.journal).toHaveLength(1)
  })

  test('what has ended, is gone or runs in the foreground is no error', async () => {
    const heard = await ask({ text: 'Yes.' })
    const [first] = heard.events
    if (first?.type !== 'resumable') throw new Error('The answer has no name.')
    await cancelResponse(key(), first.responseId)
    await cancelResponse(key(), 'resp_gone')
    for (const error of [400, 404, 409]) {
      upstream.script({ match: { path: '/v1/responses/' }, error })
      await cancelResponse(key(), first.responseId)
    }
  })

  test('of other providers asks nobody', async () => {
    await cancelResponse(compatibleKey(upstream.baseUrl), 'resp_x')
    expect(upstream.journal).toHaveLength(0)
  })

  test('that was not possible is told to the log alone', async () => {
    const warn = vi.spyOn(log(), 'warn').mockReturnValue()
    for (const error of [401, 500]) {
      upstream.script({ match: { path: '/v1/responses/' }, error })
      await cancelResponse(key(), 'resp_x')
    }
    await cancelResponse({ ...key(), baseUrl: 'http://127.0.0.1:9/v1' }, 'resp_x')
    await cancelResponse({ ...key(), apiKey: `${canary}\n` }, 'resp_x')
    expect(warn).toHaveBeenCalledTimes(4)
    expect(inspect(warn.mock.calls, { depth: 9, showHidden: true })).not.toContain(canary)
    warn.mockRestore()
  })
})
