import type { TokenUsage } from '../contracts/conversations'
import { chooseRest, chooseScript, type DemoScript } from './demo-script'
import { providerError } from './faults'
import type { ModelCall, ModelEvent } from './port'

/** How often a piece leaves: often enough to look fluent. */
const beatMs = 40
const unitsPerToken = 4

/** About as many tokens as a model would count, for texts in Western languages. */
function estimateTokens(text: string): number {
  return Math.ceil(text.length / unitsPerToken)
}

function estimateUsage({ instructions, messages }: ModelCall, answer: string): TokenUsage {
  const input = estimateTokens(instructions + messages.map(({ text }) => text).join(''))
  const output = estimateTokens(answer)
  return { input_tokens: input, output_tokens: output, total_tokens: input + output }
}

/** Waits, or throws the signal's reason as soon as it aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
  })
}

/** Words with the space before them, in pieces of about `units` characters. */
function* inPieces(text: string, units: number): Generator<string> {
  let piece = ''
  for (const word of text.match(/\s*\S+|\s+$/gu) ?? []) {
    piece += word
    if (piece.length < units) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}

function failure() {
  const message =
    'The demo model stopped in the middle, as you asked. This is how a failed answer looks: what arrived is kept. Try again to see it once more.'
  return providerError('provider_failed', message, { remedy: 'retry' })
}

async function* play(script: DemoScript, call: ModelCall): AsyncGenerator<ModelEvent> {
  const unitsPerSecond = script.tokensPerSecond * unitsPerToken
  for (const text of inPieces(script.text, (unitsPerSecond * beatMs) / 1000)) {
    await pause((text.length / unitsPerSecond) * 1000, call.signal)
    yield { type: 'text', text }
  }
  if (script.fails) throw failure()
  yield { type: 'done', usage: estimateUsage(call, script.text), finish: 'stop' }
}

/** Plays the demo model: a text written in advance, chosen by the last message, at the pace of a person's reading. */
export function playDemo(call: ModelCall): AsyncIterable<ModelEvent> {
  return play(call.continues ? chooseRest(call.messages) : chooseScript(call.messages), call)
}
