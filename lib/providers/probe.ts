import { providerError, providerName } from './faults'
import { listAt, parseJson } from './json'
import type { ModelKey } from './port'
import { fetchWhole } from './whole'

const timeouts = { connectMs: 10_000, firstByteMs: 15_000, idleMs: 10_000, totalMs: 30_000 }

/**
 * The smallest call that needs credit: one token, of the cheapest model ($0.02 for a million), with an answer of a fixed
 * size that is not kept. An answer in words would cost a thousand times as much, think first, and be stored.
 */
const smallest = JSON.stringify({ model: 'text-embedding-3-small', input: '.' })

/** A call that tells so little is not waited for long. */
const creditTimeouts = { connectMs: 5000, firstByteMs: 10_000, idleMs: 5000, totalMs: 10_000 }

/** How many models a server lists for this key; throws as a call to a model does. */
export async function countModels(key: ModelKey, signal: AbortSignal): Promise<number> {
  // Anthropic's list comes in pages.
  const path = key.provider === 'anthropic' ? '/v1/models?limit=1000' : '/models'
  const call = { key, path, accept: 'application/json', timeouts }
  const { status, text, explain } = await fetchWhole(call, signal)
  if (status !== 200) throw explain()
  const body = parseJson(text)
  const models = listAt(body, 'data')
  if (models.length > 0 || (typeof body === 'object' && body !== null && 'data' in body)) return models.length
  const message = `${providerName(key)} did not answer with a list of models. Check the address in the vault.`
  throw providerError('provider_failed', message, { remedy: 'vault', failure: 'wrong_api' })
}

/**
 * Throws provider_failed if the account has no credit left, which OpenAI's list of models does not tell. Any other
 * fault of this call says nothing against a key: it may be one that makes no embeddings.
 */
export async function requireCredit(key: ModelKey, signal: AbortSignal): Promise<void> {
  const call = {
    key,
    path: '/embeddings',
    body: smallest,
    accept: 'application/json',
    timeouts: creditTimeouts,
  }
  const answer = await fetchWhole(call, signal).catch(() => null)
  signal.throwIfAborted()
  if (answer === null || answer.status === 200) return
  const error = answer.explain()
  if (error.facts?.failure === 'quota') throw error
}
