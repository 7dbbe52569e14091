import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type ModelMessage, remedyFor, streamModel, testKey } from '../../lib/providers'
import { callTo, type Heard, hear } from '../support/model-call'

const demo = { provider: 'demo' as const, apiKey: null, baseUrl: '', last4: null }

// The demo's pace is that of a reader; here its clock runs as fast as it can.
beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

async function hearDemo(messages: ModelMessage[], signal = new AbortController().signal): Promise<Heard> {
  const heard = hear(callTo(demo, { messages, signal }))
  await vi.advanceTimersByTimeAsync(600_000)
  return heard
}

const ask = (text: string) => hearDemo([{ role: 'user', text }])
const countWords = (text: string) => text.split(/\s+/).length

test('says at once that it is a script and not an AI, and how to get one', async () => {
  const { text, done, error } = await ask('Hello, who are you?')
  expect(error).toBeNull()
  expect(done?.finish).toBe('stop')
  expect(text).toMatch(/a script, not an AI/)
  expect(text).toMatch(/open the \*\*vault\*\* and add a key/)
})

test('the welcome names every show, and each of them says that it is no AI', async () => {
  const { text } = await ask('Hello')
  const shows = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, word]) => word)
  expect(shows.sort()).toEqual(['code', 'error', 'long', 'markdown', 'slow'])
  const answers = await Promise.all(['markdown', 'code', 'long', 'slow'].map(ask))
  for (const answer of answers) expect(answer.text).toMatch(/not an AI\.\*$/)
  expect(new Set(answers.map((answer) => answer.text)).size).toBe(4)
})

test('is short when it has been met before', async () => {
  const { text } = await hearDemo([
    { role: 'user', text: 'Hello' },
    { role: 'assistant', text: 'Welcome.' },
    { role: 'user', text: 'What is the capital of France?' },
  ])
  expect(text).toMatch(/a script and not an AI/)
  expect(countWords(text)).toBeLessThan(60)
})

test('gives the same words to the same question', async () => {
  expect((await ask('Show me some markdown.')).text).toBe((await ask('Show me some markdown.')).text)
})

test('shows Markdown in all its common forms', async () => {
  const { text } = await ask('markdown')
  for (const form of [
    /^# /m,
    /^## /m,
    /^- \[x\] /m,
    /^1\. /m,
    /^\| :--- \|/m,
    /^> /m,
    /\*\*\w/,
    /~~/,
    /\]\(https:/,
  ]) {
    expect(text).toMatch(form)
  }
})

test('shows code in several languages, each block closed', async () => {
  const { text } = await ask('Please show CODE')
  const fences = text.match(/^```\w*$/gm) ?? []
  const languages = fences.filter((fence) => fence !== '```')
  expect(new Set(languages).size).toBeGreaterThanOrEqual(5)
  expect(fences.length).toBe(languages.length * 2)
})

test('shows a long answer of three thousand words', async () => {
  const { text, done } = await ask('long')
  expect(countWords(text)).toBeGreaterThanOrEqual(3000)
  expect(done?.usage?.output_tokens).toBe(Math.ceil(text.length / 4))
})

test('fails midway on request, with what came before', async () => {
  const { text, error, done } = await ask('Show me an error')
  expect(text).toMatch(/^This answer begins/)
  expect(done).toBeNull()
  expect(error?.code).toBe('provider_failed')
  expect(error && remedyFor(error)).toBe('retry')
})

describe('its pace', () => {
  async function tokensPerSecond(word: string): Promise<number> {
    const startedAt = Date.now()
    let endedAt = startedAt
    let units = 0
    const playing = (async () => {
      for await (const event of streamModel(callTo(demo, { messages: [{ role: 'user', text: word }] }))) {
        if (event.type === 'text') units += event.text.length
        endedAt = Date.now()
      }
    })()
    await vi.advanceTimersByTimeAsync(600_000)
    await playing
    return units / 4 / ((endedAt - startedAt) / 1000)
  }

  test('is that of a model, and slow on request', async () => {
    expect(await tokensPerSecond('hello')).toBeGreaterThan(60)
    expect(await tokensPerSecond('long')).toBeLessThanOrEqual(101)
    expect(await tokensPerSecond('slow')).toBeLessThan(6)
  })
})

test('stops at once when it is told to, with the reason', async () => {
  const stop = new AbortController()
  const reason = new Error('Stopped by the reader.')
  const heard: string[] = []
  const playing = (async () => {
    const call = callTo(demo, { messages: [{ role: 'user', text: 'long' }], signal: stop.signal })
    for await (const event of streamModel(call)) if (event.type === 'text') heard.push(event.text)
  })()
  const ended = expect(playing).rejects.toBe(reason)
  await vi.advanceTimersByTimeAsync(1000)
  stop.abort(reason)
  await ended
  expect(heard.length).toBeGreaterThan(0)
  expect(vi.getTimerCount()).toBe(0)
})

test('needs no key and passes its test', async () => {
  expect(await testKey(demo, new AbortController().signal)).toEqual({ models: 1 })
})
