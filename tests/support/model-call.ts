import { asAppError } from '../../lib/errors'
import { type ModelCall, type ModelEvent, type ModelKey, streamModel } from '../../lib/providers'

/** A key that must be found nowhere but in the request. */
export const canary = 'sk-test-canary-7f3a91c2d84e5b60a9e77'

/** Longer than any test, so that nothing but the fault under test ends a call. */
export const patient = { connectMs: 120_000, firstByteMs: 120_000, idleMs: 120_000, totalMs: 120_000 }

/** A key of OpenAI for the server at `baseUrl`. */
export function openaiKey(baseUrl: string): ModelKey {
  return { provider: 'openai', apiKey: canary, baseUrl, last4: '9e77' }
}

/** A key of a server that speaks chat completions. */
export function compatibleKey(baseUrl: string, apiKey: string | null = canary): ModelKey {
  return { provider: 'openai-compatible', apiKey, baseUrl, last4: apiKey === null ? null : '9e77' }
}

/** One short question, changed where a test wants it changed. */
export function callTo(key: ModelKey, changes: Partial<ModelCall> = {}): ModelCall {
  return {
    key,
    model: 'gpt-5-nano',
    instructions: '',
    messages: [{ role: 'user', text: 'Say something.' }],
    temperature: null,
    maxOutputTokens: null,
    reasoningEffort: null,
    timeouts: patient,
    signal: new AbortController().signal,
    ...changes,
  }
}

/** All that came of a call: its text, its thoughts, its last event, and the error that ended it. */
export type Heard = {
  text: string
  reasoning: string
  done: Extract<ModelEvent, { type: 'done' }> | null
  error: ReturnType<typeof asAppError> | null
  events: ModelEvent[]
}

/** Listens to a call to the end, whatever it is. */
export function hear(call: ModelCall): Promise<Heard> {
  return hearAll(streamModel(call))
}

/** Listens to events to their end, whatever it is. */
export async function hearAll(events: AsyncIterable<ModelEvent>): Promise<Heard> {
  const heard: Heard = { text: '', reasoning: '', done: null, error: null, events: [] }
  try {
    for await (const event of events) {
      heard.events.push(event)
      if (event.type === 'done') heard.done = event
      else if (event.type !== 'resumable') heard[event.type] += event.text
    }
  } catch (error) {
    heard.error = asAppError(error)
  }
  return heard
}
