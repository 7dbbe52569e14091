import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type GatewayWorld, startGateway } from '../support/gateway'
import type { Script } from '../support/openai'
import { listRecordings, type Recording } from '../support/recorded'
import { readTraffic } from '../support/traffic'

/*
 * What OpenAI really sent, recorded by the test suites of others, comes out of the gateway as it went in: every byte of
 * every event, in whatever pieces it arrives. The recordings are no part of this repository; where they are not, this
 * file has nothing to say.
 */

const recordings = listRecordings()

/** Calls that generate, and the least that can be asked of each where the question was not recorded. */
const questions: Record<string, object> = {
  '/responses': { input: 'Hello', store: false },
  '/chat/completions': { messages: [{ role: 'user', content: 'Hello' }] },
  '/completions': { prompt: 'Hello' },
  '/embeddings': { input: 'Hello' },
  '/images/generations': { prompt: 'A cat' },
  '/moderations': { input: 'Hello' },
}
const served = recordings.filter(({ endpoint, method }) => method === 'POST' && endpoint in questions)
const whole = served.filter(({ isStream, status }) => !isStream && status < 400)
const refused = served.filter(({ status }) => status >= 400)
const streams = served.filter(({ isStream }) => isStream)
const uploads = recordings.filter(({ endpoint, method }) => method === 'POST' && endpoint === '/files')
const contents = recordings.filter(({ endpoint }) => /^\/files\/[\w-]+\/content$/.test(endpoint))

/** A byte at a time is slow on a machine that has something else to do. */
const patienceMs = 240_000

let world: GatewayWorld
let caller: { key: string; keyId: string }

describe.skipIf(recordings.length === 0)('what was recorded of OpenAI', () => {
  beforeAll(async () => {
    world = await startGateway()
    caller = await world.sdk()
    // A question may name a file of these, and nobody can name another’s.
    for (const upload of uploads) await replayUpload(upload)
  })
  beforeEach(() => world.upstream.reset())
  afterAll(() => world.close())

  describe.each(countByEndpoint(whole))('%i whole answers of %s', (_count, endpoint) => {
    test('come out byte for byte, with their headers, and cost what they say', async () => {
      const heard = await replayAll(whole, endpoint, ({ folder }) => ({ replay: folder }))
      for (const { recording, answer, bytes } of heard) {
        expect(answer.status, recording.name).toBe(recording.status)
        expect(bytes.equals(recording.body), recording.name).toBe(true)
        requireHeaders(recording, answer.headers)
      }
      await requireUse(heard)
    })
  })

  describe.each(countByEndpoint(refused))('%i refusals of %s', (_count, endpoint) => {
    test('keep their status and what they say', async () => {
      for (const { recording, answer, bytes } of await replayAll(refused, endpoint, ({ folder }) => ({
        replay: folder,
      }))) {
        const { error: meant } = JSON.parse(recording.body.toString())
        const { error: said } = JSON.parse(bytes.toString())
        expect(answer.status, recording.name).toBe(recording.status)
        expect({ ...said, message: null }, recording.name).toEqual({ ...meant, message: null })
        if (recording.status !== 401) expect(said.message, recording.name).toBe(meant.message)
        requireHeaders(recording, answer.headers)
      }
    })
  })

  describe.each(countByEndpoint(streams))('%i streams of %s', (_count, endpoint) => {
    test('come out event for event, and cost what they say', async () => {
      const heard = await replayAll(streams, endpoint, ({ folder }) => ({ replay: folder }))
      for (const { recording, answer, bytes } of heard) {
        requireSame(recording, bytes, recording.body)
        requireHeaders(recording, answer.headers)
      }
      await requireUse(heard)
    })

    test.each([1, 20_261])('come out byte for byte when they arrive in random pieces (%i)', async (seed) => {
      const script = ({ folder }: Recording) => ({ replay: folder, split: { random: seed } })
      const heard = await replayAll(streams, endpoint, script)
      for (const { recording, bytes } of heard) requireSame(recording, bytes, recording.body)
    })

    test('come out byte for byte when they arrive a byte at a time', { timeout: patienceMs }, async () => {
      const script = ({ body }: Recording): Script => ({ raw: shorten(body, 16_384), split: 'bytes' })
      const heard = await replayAll(streams, endpoint, script)
      for (const { recording, bytes } of heard)
        requireSame(recording, bytes, Buffer.from(shorten(recording.body, 16_384).join('')))
    })
  })

  const reframed = streams.filter(({ isFramedAsRecorded }) => !isFramedAsRecorded)
  describe.each(countByEndpoint(reframed))('%i streams of %s', (_count, endpoint) => {
    test.each<Script['split'] & string>(['events', 'bytes'])(
      'come out with CRLF where their lines end so, split at %s',
      { timeout: patienceMs },
      async (split) => {
        const most = split === 'bytes' ? 4096 : Number.POSITIVE_INFINITY
        const script = ({ body }: Recording) => ({ raw: shorten(body, most), crlf: true, split })
        for (const { recording, bytes } of await replayAll(reframed, endpoint, script)) {
          const meant = shorten(recording.body, most).join('').replaceAll('\n', '\r\n')
          requireSame(recording, bytes, Buffer.from(meant))
        }
      },
    )
  })

  test(`${uploads.length} uploads of files, and ${contents.length} contents, come out byte for byte`, async () => {
    for (const upload of uploads) {
      const bytes = await replayUpload(upload)
      expect(bytes.equals(upload.body), upload.name).toBe(true)
    }
    const { id } = JSON.parse(String(uploads[0]?.body))
    for (const content of contents) {
      const path = `/files/${id}/content`
      world.upstream.script({ match: { path: `/v1${path}` }, replay: content.folder })
      const headers = { authorization: `Bearer ${caller.key}` }
      const answer = await fetch(`${world.server.url}/v1${path}`, { headers })
      expect(Buffer.from(await answer.arrayBuffer()).equals(content.body), content.name).toBe(true)
      requireType(content, answer.headers)
    }
  })

  const here = [...served, ...uploads, ...contents]
  const elsewhere = recordings.filter((recording) => !here.includes(recording))
  test(`${here.length} of ${recordings.length} recordings are of calls that the gateway has; the other ${elsewhere.length} are told so`, async () => {
    for (const { endpoint, method } of elsewhere) {
      const headers = { authorization: `Bearer ${caller.key}` }
      const answer = await fetch(`${world.server.url}/v1${endpoint}`, { method, headers })
      expect([404, 405], endpoint).toContain(answer.status)
      expect(await answer.json(), endpoint).toMatchObject({ error: { type: 'invalid_request_error' } })
    }
    expect(world.upstream.journal).toEqual([])
  })
})

function countByEndpoint(some: Recording[]): [count: number, endpoint: string][] {
  const endpoints = [...new Set(some.map(({ endpoint }) => endpoint))]
  return endpoints.map((endpoint) => [some.filter((one) => one.endpoint === endpoint).length, endpoint])
}

type Heard = { recording: Recording; answer: Response; bytes: Buffer; requestId: string }

let replayed = 0

/** Asks for every recording of an endpoint, one after the other. */
async function replayAll(
  some: Recording[],
  endpoint: string,
  script: (recording: Recording) => Script,
): Promise<Heard[]> {
  const heard: Heard[] = []
  for (const recording of some.filter((one) => one.endpoint === endpoint)) {
    world.upstream.script({ match: { path: `/v1${endpoint}` }, ...script(recording) })
    const requestId = `recorded-${++replayed}`
    const answer = await world.post(endpoint, questionOf(recording), caller.key, {
      'x-request-id': requestId,
    })
    heard.push({ recording, answer, bytes: Buffer.from(await answer.arrayBuffer()), requestId })
  }
  return heard
}

async function replayUpload({ folder }: Recording): Promise<Buffer> {
  world.upstream.script({ match: { path: '/v1/files', method: 'POST' }, replay: folder })
  const body = new FormData()
  body.set('purpose', 'user_data')
  body.set('file', new Blob(['A text.']), 'text.txt')
  const headers = { authorization: `Bearer ${caller.key}` }
  const answer = await fetch(`${world.server.url}/v1/files`, { method: 'POST', headers, body })
  return Buffer.from(await answer.arrayBuffer())
}

function questionOf({ endpoint, request, isStream }: Recording): object {
  return request ?? { model: 'gpt-5-nano', ...questions[endpoint], ...(isStream && { stream: true }) }
}

function requireSame(recording: Recording, heard: Buffer, meant: Buffer): void {
  const events = eventsOf(heard)
  for (const [index, event] of eventsOf(meant).entries())
    expect(events[index], `event ${index} of ${recording.name}`).toBe(event)
  expect(heard.equals(meant), recording.name).toBe(true)
}

/** The events of a stream; of a long one, those at its beginning and its end: a write for each byte takes its time. */
function shorten(body: Buffer, most: number): string[] {
  const events = eventsOf(body)
  if (body.length <= most) return events
  return [...takeUpTo(events, most / 2), ...takeUpTo(events.toReversed(), most / 2).reverse()]
}

function takeUpTo(events: string[], most: number): string[] {
  let size = 0
  return events.filter((event, index) => {
    size += event.length
    return index === 0 || size <= most
  })
}

/** The events, each with the blank line that ends it. */
function eventsOf(body: Buffer): string[] {
  return body.toString().split(/(?<=\n\n|\r\n\r\n)/)
}

const passed = /^(content-type|retry-after|openai-(version|processing-ms|model)|x-ratelimit-.+)$/
const withheld = ['openai-organization', 'openai-project', 'set-cookie', 'cf-ray', 'authorization']

function requireHeaders(recording: Recording, headers: Headers): void {
  const meant = Object.entries(recording.headers).filter(
    ([name, [value = '']]) => passed.test(name) && !value.startsWith('<'),
  )
  for (const [name, values] of meant) {
    if (name === 'content-type') continue
    expect(headers.get(name), `${name} of ${recording.name}`).toBe([...new Set(values)].join(', '))
  }
  requireType(recording, headers)
  expect(headers.get('x-request-id'), recording.name).toMatch(/^recorded-\d+$/)
  for (const name of withheld) expect(headers.get(name), name).toBeNull()
}

function requireType({ name, isStream, contentType }: Recording, headers: Headers): void {
  const type = isStream ? 'text/event-stream; charset=utf-8' : contentType
  expect(headers.get('content-type'), name).toBe(type)
}

/** What an answer says that it used is what the ledger has. */
async function requireUse(heard: Heard[]): Promise<void> {
  const ledger = await readTraffic(world.admin, caller.keyId, replayed)
  for (const { recording, requestId } of heard) {
    const told = readTold(recording)
    const entry = ledger.get(requestId)
    const outcome = hasFailed(recording) ? 'failed' : 'completed'
    expect(entry, recording.name).toMatchObject({ status: recording.status, outcome })
    if (told !== null)
      expect(entry, recording.name).toMatchObject({
        estimated: false,
        input_tokens: told.input_tokens,
        output_tokens: told.output_tokens,
        cached_tokens: told.cached_tokens,
      })
  }
}

/** Some say so; one was recorded without its end. */
function hasFailed({ body, isStream }: Recording): boolean {
  if (!isStream) return false
  const events = eventsOf(body)
  const isOne = (event: string, names: string[]) => names.some((name) => event.startsWith(name))
  const ends = ['event: response.completed', 'event: response.incomplete', 'data: [DONE]']
  return (
    events.some((event) => isOne(event, ['event: error', 'event: response.failed'])) ||
    !events.some((event) => isOne(event, ends))
  )
}

type Told = { input_tokens: number; output_tokens: number; cached_tokens: number }

/** The use that an answer tells, in either of OpenAI's dialects; of a stream, the last. */
function readTold({ body, isStream }: Recording): Told | null {
  if (!isStream) return usageIn(JSON.parse(body.toString()))
  const told = eventsOf(body).flatMap((event) => {
    const line = event.split('\n').find((text) => text.startsWith('data: {'))
    const said = line === undefined ? {} : JSON.parse(line.slice(6))
    return usageIn(said.response ?? said) ?? []
  })
  return told.at(-1) ?? null
}

type Usage = Record<string, number> & Record<`${string}_details`, Record<string, number>>

function usageIn({ usage }: { usage?: Usage | null }): Told | null {
  if (!usage) return null
  const input = usage.input_tokens ?? usage.prompt_tokens ?? 0
  const details = usage.input_tokens_details ?? usage.prompt_tokens_details
  const output = usage.output_tokens ?? usage.completion_tokens ?? 0
  return { input_tokens: input, output_tokens: output, cached_tokens: details?.cached_tokens ?? 0 }
}
