import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { callTo, hear, openaiKey, patient } from '../support/model-call'
import { type OpenAIServer, type Script, startOpenAI } from '../support/openai'
import type { RawServer } from '../support/raw-server'

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
})
