import type { ReplyError } from './contracts/conversations'
import type { AppError } from './errors'
import { askServer } from './providers/answer'
import { completions } from './providers/completions'
import { playDemo } from './providers/demo'
import type { ModelCall, ModelEvent, ModelKey } from './providers/port'
import { countModels } from './providers/probe'
import { responses } from './providers/responses'

export type {
  ModelCall,
  ModelEvent,
  ModelKey,
  ModelMessage,
} from './providers/port'

/**
 * Asks a model and streams what it says; the call goes out when the iteration begins, and leaving the loop closes it.
 * Events that wait are joined, so a slow reader gets few and large ones. A stream without `done` has failed.
 * Throws AppError provider_auth, provider_failed, provider_timeout or invalid_input, none of which holds the key;
 * after `signal` aborts, the signal's reason. Text that came before an error is given first.
 */
export function streamModel(call: ModelCall): AsyncIterable<ModelEvent> {
  if (call.key.provider === 'demo') return playDemo(call)
  return askServer(call, call.key.provider === 'openai' ? responses : completions)
}

/** What the page should offer after an error of `streamModel` or `testKey`. */
export function remedyFor(error: AppError): ReplyError['remedy'] {
  const named = error.facts?.remedy
  if (named === 'retry' || named === 'vault' || named === 'settings') return named
  return error.code === 'provider_auth' ? 'vault' : 'retry'
}

/** Tries a key with one cheap call (`GET /models`, 30 s at most) and counts the models. Throws as `streamModel`. */
export async function testKey(key: ModelKey, signal: AbortSignal): Promise<{ models: number }> {
  if (key.provider === 'demo') return { models: 1 }
  return { models: await countModels(key, signal) }
}
