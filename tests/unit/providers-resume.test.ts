import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ModelEvent } from '../../lib/providers'
import { responses } from '../../lib/providers/responses'
import { callTo, type Heard, openaiKey } from '../support/model-call'
import { expectFault } from '../support/model-fault'
import { fuzzCases } from '../support/model-fuzz'
import { connectToTape, framesFor, hearTape, recordFrames, type Take } from '../support/model-tape'
import type { Script } from '../support/openai'

const halves = [
  'Grüße ',
  'a\ud83d',
  '\ude00b',
  '\ud83d',
  '\ude00',
  '東\ud83d',
  '\ude00\ud83d',
  '\ude01',
  'x\ud83d',
  'y\u0000',
  ' 👩‍👩‍👧.',
]
const thoughts = ['First I look.', 'Then 👀 I leap.', 'Last, I land.']

const exchanges: Record<string, Script> = {
  'a text whose characters are cut in two': { text: halves },
  'a summary of several paragraphs before the text': { text: halves, reasoning: thoughts },
  'reasoning again after a tool was called': {
    items: [
      { type: 'reasoning', summary: thoughts },
      { type: 'function', name: 'look', arguments: '{"at":"sky"}' },
      { type: 'reasoning', summary: ['Once \ud83d', '\ude00 more.'], text: 'Aloud.' },
      { type: 'text', text: ['One.'] },
      { type: 'reasoning', summary: ['After all.'] },
      { type: 'text', text: halves },
    ],
  },
  'text before any reasoning': {
    items: [
      { type: 'text', text: ['Well,', ' then.'] },
      { type: 'reasoning', summary: thoughts },
      { type: 'text', text: ['Done.'] },
    ],
  },
  'a refusal after some text': {
    items: [
      { type: 'reasoning', summary: thoughts },
      { type: 'text', text: ['I could,', ' but'] },
      { type: 'refusal', refusal: ['I would', ' rather', ' not \ud83d', '\ude41.'] },
    ],
  },
  'an answer that was too long': { text: halves, reasoning: thoughts, end: 'incomplete', after: 5 },
  'an answer that is all in its last event': {
    items: [
      {
        type: 'raw',
        item: { type: 'message', content: [{ type: 'output_text', text: 'All at \ud83d once.' }] },
      },
    ],
  },
  'an answer that failed': { text: halves, reasoning: thoughts, end: 'failed', after: 6 },
  'an answer among unknown events': { text: halves, reasoning: thoughts, unknownEvents: true },
}

const call = callTo(openaiKey('http://127.0.0.1:9/v1'), { background: true })
const responseId = `resp_${'0'.repeat(50)}`
const gone: Take = { status: 404, headers: {}, pieces: [], end: 'clean' }
const whole = (frames: string[]): Take => ({
  pieces: frames.map((frame) => Buffer.from(frame)),
  end: 'clean',
})

const outcome = ({ text, reasoning, done, error }: Heard) => ({
  text,
  reasoning,
  done,
  error: error?.message,
})

/** Hears the first part of an answer, as far as a provider told it that then forgets it. */
function hearStart(frames: string[]): Promise<Heard> {
  const { connect } = connectToTape(({ path }) => (path === '/responses' ? whole(frames) : gone))
  return hearTape(call, responses, connect)
}

/** What a reader that took these events has, and where it may go on. */
function takenFrom(events: ModelEvent[]) {
  const heard = { text: '', reasoning: '', after: 0 }
  for (const event of events) {
    // What has no cursor comes again, and more completely.
    if (!('text' in event) || event.cursor === undefined) continue
    heard[event.type] += event.text
    heard.after = event.cursor
  }
  return heard
}

// Nobody waits here until it is time to try again.
beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** What becomes of all of these, with their waits cut short. */
async function settle<T>(begun: Promise<T>[]): Promise<T[]> {
  await vi.runAllTimersAsync()
  return Promise.all(begun)
}

describe.each(Object.entries(exchanges))('%s', (_, script) => {
  const frames = recordFrames(script)
  const { connect: connectUncut } = connectToTape((asked) => whole(framesFor(asked, frames)))
  const uncut = hearTape(call, responses, connectUncut)

  test('is what it was before', async () => {
    const plain = hearTape({ ...call, background: false }, responses, connectUncut)
    expect(outcome(await uncut)).toEqual(outcome(await plain))
  })

  test('is the same when taken up after a restart, wherever it was left', async () => {
    const takeUp = async (told: number) => {
      const { text, reasoning, after } = takenFrom((await hearStart(frames.slice(0, told))).events)
      const resume = { responseId, after, began: text !== '', reasoned: reasoning !== '' }
      const { connect, calls } = connectToTape((asked) => whole(framesFor(asked, frames)))
      const rest = await hearTape({ ...call, resume }, responses, connect)
      expect(calls[0]?.body).toBeUndefined()
      return { ...rest, text: text + rest.text, reasoning: reasoning + rest.reasoning }
    }
    const all = await settle(frames.slice(1).map((_, index) => takeUp(index + 2)))
    for (const each of all) expect(outcome(each)).toEqual(outcome(await uncut))
  })

  test('is the same when its connection breaks at any byte', { timeout: 30_000 + fuzzCases }, async () => {
    const bytes = Buffer.from(frames.join(''))
    const ends = ['reset', 'clean', 'silence'] as const
    const hearCut = (cut: number) => {
      const { connect } = connectToTape((asked) =>
        asked.path === '/responses'
          ? { pieces: [bytes.subarray(0, cut)], end: ends[cut % 3] ?? 'reset' }
          : whole(framesFor(asked, frames)),
      )
      return hearTape(call, responses, connect)
    }
    const named = (frames[0] ?? '').length
    const step = Math.max(1, Math.floor((bytes.length - named) / (fuzzCases / 4)))
    const cuts = Array.from(
      { length: Math.ceil((bytes.length - named) / step) },
      (_, index) => named + index * step,
    )
    const wanted = outcome(await uncut)
    const atOnce = 1000
    for (let from = 0; from < cuts.length; from += atOnce) {
      const heard = await settle(cuts.slice(from, from + atOnce).map(hearCut))
      for (const each of heard) expect(outcome(each)).toEqual(wanted)
    }
  })

  test('is the same when a new connection repeats what was read', async () => {
    const cut = Math.floor(frames.length * 0.7)
    const { connect } = connectToTape((asked) =>
      asked.path === '/responses' ? { ...whole(frames.slice(0, cut)), end: 'reset' } : whole(frames.slice(1)),
    )
    const [heard] = await settle([hearTape(call, responses, connect)])
    expect(outcome(heard as Heard)).toEqual(outcome(await uncut))
  })

  test('is the same when every connection brings but one event', async () => {
    const { connect, calls } = connectToTape((asked) => ({
      ...whole(framesFor(asked, frames).slice(0, 1)),
      end: 'reset',
    }))
    const [heard] = await settle([hearTape(call, responses, connect)])
    expect(outcome(heard as Heard)).toEqual(outcome(await uncut))
    expect(calls.length).toBeGreaterThanOrEqual(frames.length - 1)
  })
})

test('whoever takes up an answer need not say whether there was reasoning, as long as it came first', async () => {
  for (const script of Object.values({ ...exchanges, 'text before any reasoning': {} })) {
    const frames = recordFrames(script)
    const { connect } = connectToTape((asked) => whole(framesFor(asked, frames)))
    const uncut = await hearTape(call, responses, connect)
    const takeUp = async (told: number) => {
      const { text, reasoning, after } = takenFrom((await hearStart(frames.slice(0, told))).events)
      const resume = { responseId, after, began: text !== '' }
      return reasoning + (await hearTape({ ...call, resume }, responses, connect)).reasoning
    }
    const all = await settle(frames.slice(1).map((_, index) => takeUp(index + 2)))
    for (const each of all) expect(each).toBe(uncut.reasoning)
  }
})

test('an answer that only ever breaks is asked for five times more, and then given up', async () => {
  const frames = recordFrames({ text: halves })
  const { connect, calls } = connectToTape((asked) => ({
    ...whole(asked.path === '/responses' ? frames.slice(0, -5) : []),
    end: 'reset',
  }))
  const [heard] = await settle([hearTape(call, responses, connect)])
  expectFault(heard as Heard, [
    'provider_failed',
    'retry',
    /broke before the answer was complete\. What arrived is kept/,
  ])
  expect(calls).toHaveLength(6)
})
