import type { ReplyError } from './contracts/conversations'
import type { AppError } from './errors'
import { log } from './log'
import { askServer } from './providers/answer'
import { cancelInBackground } from './providers/cancel'
import { completions } from './providers/completions'
import { playDemo } from './providers/demo'
import { explainFault, readFault } from './providers/faults'
import { messages } from './providers/messages'
import { unresumable } from './providers/mishaps'
import type { Dialect, ModelCall, ModelEvent, ModelKey } from './providers/port'
import { countModels, requireCredit } from './providers/probe'
import { responses } from './providers/responses'

export {
  admitCall,
  listOpenCircuits,
  noteCallFailure,
  noteCallNothing,
  noteCallSuccess,
} from './providers/breaker'
export { askToThink, type ClaudeTraits, type ThinkingAsked, traitsOfClaude } from './providers/claude'
export { retryAfterMs as readRetryAfter } from './providers/delivery'
export { EventCutter } from './providers/events'
export { hideKey, quote as redact } from './providers/faults'
export { type ForwardCall, type Forwarded, forwardCall } from './providers/forward'
export { parseJson } from './providers/json'
export { lengthOfMessage } from './providers/parts'
export type {
  ModelCall,
  ModelEvent,
  ModelFile,
  ModelKey,
  ModelMessage,
} from './providers/port'
export { readUsage } from './providers/token-usage'
export { deleteUpload, uploadToProvider } from './providers/uploads'

/**
 * Asks a model and streams what it says; the call goes out when the iteration begins, and leaving the loop closes it.
 * Events that wait are joined, so a slow reader gets few and large ones. A stream without `done` has failed.
 * With `background` or `resume` a broken connection is made anew, and only what cannot be mended is an error.
 * Throws AppError provider_auth, provider_failed, provider_timeout or invalid_input, none of which holds the key;
 * after `signal` aborts, the signal's reason. Text that came before an error is given first.
 */
export function streamModel(call: ModelCall): AsyncIterable<ModelEvent> {
  const { key, resume } = call
  const dialect = dialectOf(key)
  if (resume && !dialect?.canResume) return failing(unresumable(key))
  return dialect ? askServer(call, dialect) : playDemo(call)
}

/** The dialect that a key's server speaks; the demo model has none. */
function dialectOf({ provider }: ModelKey): Dialect | null {
  if (provider === 'openai') return responses
  if (provider === 'anthropic') return messages
  return provider === 'demo' ? null : completions
}

function failing(error: AppError): AsyncIterable<ModelEvent> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) }
}

/**
 * Stops an answer that was asked for with `background`; closing its connection does not. Takes 10 s at most and never
 * throws: one that has ended or is gone is no error, and where the provider cannot be asked, the log tells so.
 */
export async function cancelResponse(key: ModelKey, responseId: string): Promise<void> {
  if (key.provider !== 'openai') return
  try {
    await cancelInBackground(key, responseId)
  } catch (err) {
    log().warn({ err, responseId }, 'an answer in the background was not cancelled, and may go on')
  }
}

/** What an error of a model server's means, from the body of its answer, or from its stream (`status` null). Never holds the key. */
export function explainRefusal(key: ModelKey, status: number | null, body: unknown): AppError {
  return explainFault({ key, model: null }, readFault(body, status))
}

/** What the page should offer after an error of `streamModel` or `testKey`. */
export function remedyFor(error: AppError): ReplyError['remedy'] {
  const named = error.facts?.remedy
  if (named === 'retry' || named === 'vault' || named === 'settings') return named
  return error.code === 'provider_auth' ? 'vault' : 'retry'
}

/**
 * Tries a key: `GET /models`, and at OpenAI one token's worth of an embedding, which shows whether there is credit; 40 s
 * at most. Counts the models. Throws as `streamModel`.
 */
export async function testKey(key: ModelKey, signal: AbortSignal): Promise<{ models: number }> {
  if (key.provider === 'demo') return { models: 1 }
  const models = await countModels(key, signal)
  if (key.provider === 'openai') await requireCredit(key, signal)
  return { models }
}
