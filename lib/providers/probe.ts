import { providerError, providerName } from './faults'
import { listAt, parseJson } from './json'
import type { ModelKey } from './port'
import { fetchWhole } from './whole'

const timeouts = { connectMs: 10_000, firstByteMs: 15_000, idleMs: 10_000, totalMs: 30_000 }

/** How many models a server lists for this key; throws as a call to a model does. */
export async function countModels(key: ModelKey, signal: AbortSignal): Promise<number> {
  const call = { key, path: '/models', accept: 'application/json', timeouts }
  const { status, text, explain } = await fetchWhole(call, signal)
  if (status !== 200) throw explain()
  const body = parseJson(text)
  const models = listAt(body, 'data')
  if (models.length > 0 || (typeof body === 'object' && body !== null && 'data' in body)) return models.length
  const message = `${providerName(key)} did not answer with a list of models. Check the address in the vault.`
  throw providerError('provider_failed', message, { remedy: 'vault', failure: 'wrong_api' })
}
