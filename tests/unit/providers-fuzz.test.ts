import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { completions } from '../../lib/providers/completions'
import { responses } from '../../lib/providers/responses'
import type { UpstreamCall } from '../../lib/providers/upstream'
import { callTo, compatibleKey, type Heard, hear, openaiKey } from '../support/model-call'
import { framesOf, type Provider } from '../support/model-frames'
import { anyAnswer, anyDamaged, anyFraming, cutAt, frame, fuzzCases } from '../support/model-fuzz'
import { type Meaning, readCompletions, readResponses } from '../support/model-reference'
import { expectSound } from '../support/model-sound'
import { connectToTape, framesFor, hearTape, type Take } from '../support/model-tape'
import { type RawServer, startHttp } from '../support/raw-server'

const dialects = {
  openai: { dialect: responses, read: readResponses },
  'openai-compatible': { dialect: completions, read: readCompletions },
}
const longMs = 30_000 + fuzzCases * 5

function hearTake(provider: Provider, take: Take, background = false): Promise<Heard> {
  const key = { ...compatibleKey('http://127.0.0.1:9/v1'), provider }
  const { connect } = connectToTape(() => take)
  return hearTape(callTo(key, { background }), dialects[provider].dialect, connect)
}

/** What was heard is what was meant, byte for byte, and ended as it should. */
function expectMeaning(heard: Heard, { text, reasoning, isWhole }: Meaning): void {
  expect({ text: heard.text, reasoning: heard.reasoning }).toEqual({ text, reasoning })
  expect(heard.error === null).toBe(isWhole)
}

describe.each(['openai', 'openai-compatible'] as const)('any answer of %s', (provider) => {
  test('is heard byte for byte, however it is framed and cut', { timeout: longMs }, () =>
    fc.assert(
      fc.asyncProperty(
        anyAnswer,
        anyFraming,
        fc.array(fc.nat(100_000), { maxLength: 12 }),
        async (answer, framing, places) => {
          const body = frame(framesOf(provider, answer), framing)
          const heard = await hearTake(provider, { pieces: cutAt(body, places), end: 'clean' })
          expectSound(heard)
          expectMeaning(heard, dialects[provider].read(body, true))
          const said = provider === 'openai' && answer.isSilent ? [] : answer.said
          const spoken = said.filter(({ kind }) => kind !== 'reasoning').map(({ piece }) => piece)
          if (spoken.length === said.length && said.length > 0)
            expect(heard.text).toBe(spoken.join('').replaceAll('\0', '\ufffd').toWellFormed())
        },
      ),
      { numRuns: Math.ceil(fuzzCases / 4) },
    ),
  )
})

test(
  'whatever is done to an answer on its way, what is heard is what the bytes say, or an error of ours',
  { timeout: longMs },
  () =>
    fc.assert(
      fc.asyncProperty(anyDamaged, async ({ provider, body, places, end }) => {
        const heard = await hearTake(provider, { pieces: cutAt(body, places), end })
        expectSound(heard)
        expectMeaning(heard, dialects[provider].read(body, end === 'clean'))
      }),
      { numRuns: fuzzCases },
    ),
)

describe('an answer in the background', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  const places = fc.array(fc.nat(100_000), { maxLength: 5 })

  async function hearTakes(takeFor: (asked: UpstreamCall, calls: UpstreamCall[]) => Take): Promise<Heard> {
    const { connect } = connectToTape(takeFor)
    const key = openaiKey('http://127.0.0.1:9/v1')
    const hearing = hearTape(callTo(key, { background: true }), responses, connect)
    await vi.runAllTimersAsync()
    return hearing
  }

  test('is heard byte for byte wherever its connections break', { timeout: longMs }, () =>
    fc.assert(
      fc.asyncProperty(anyAnswer, anyFraming, places, async (answer, framing, breaks) => {
        const frames = framesOf('openai', { ...answer, inBackground: true })
        const [opening = '', ...others] = frames
        // What follows the end on the wire follows it here too, so that an answer without one is the same as a broken one.
        const heard = await hearTakes((asked, { length }) => {
          const body = frame(framesFor(asked, frames), framing)
          const named = asked.path === '/responses' ? frame([opening], framing).length : 0
          const at = breaks[length - 1]
          if (at === undefined) return { pieces: [body], end: 'clean' }
          return { pieces: [body.subarray(0, named + (at % (body.length - named + 1)))], end: 'reset' }
        })
        expectSound(heard)
        if (others.length > 0) expectMeaning(heard, readResponses(frame(frames, framing), true))
      }),
      { numRuns: Math.ceil(fuzzCases / 4) },
    ),
  )

  test('of a server that may send anything is well formed, or an error of ours', { timeout: longMs }, () => {
    const take = fc.record({ status: fc.constantFrom(200, 200, 200, 404, 500), damaged: anyDamaged })
    return fc.assert(
      fc.asyncProperty(fc.array(take, { minLength: 1, maxLength: 6 }), async (takes) => {
        const heard = await hearTakes((_, { length }) => {
          const { status, damaged } = takes[(length - 1) % takes.length] ?? { status: 404 }
          const { body = Buffer.alloc(0), end = 'clean' } = damaged ?? {}
          return { status, pieces: cutAt(body, damaged?.places ?? []), end }
        })
        expectSound(heard)
      }),
      { numRuns: Math.ceil(fuzzCases / 4) },
    )
  })
})

describe('over a real connection', () => {
  let raw: RawServer
  let pieces: Buffer[] = []
  let ends = true
  beforeAll(async () => {
    raw = await startHttp(async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      for (const piece of pieces) {
        response.write(piece)
        await new Promise(setImmediate)
      }
      if (ends) response.end()
      else response.write('', () => response.socket?.resetAndDestroy())
    })
  })
  afterAll(() => raw.close())

  test('it is the same', { timeout: longMs }, () =>
    fc.assert(
      fc.asyncProperty(anyDamaged, async ({ provider, body, places, end }) => {
        pieces = cutAt(body, places)
        ends = end === 'clean'
        const heard = await hear(callTo({ ...compatibleKey(raw.baseUrl), provider }))
        expectSound(heard)
        // A reset may overtake what was sent before it.
        if (ends) expectMeaning(heard, dialects[provider].read(body, true))
      }),
      { numRuns: Math.ceil(fuzzCases / 20) },
    ),
  )
})
