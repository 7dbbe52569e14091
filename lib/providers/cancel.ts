import { pathOfResponse } from './bookmark'
import type { ModelKey } from './port'
import { fetchWhole } from './whole'

const timeouts = { connectMs: 10_000, firstByteMs: 10_000, idleMs: 10_000, totalMs: 10_000 }

/** The response has ended, is gone, or was never one that could be cancelled: nothing is left to stop. */
const settled = [400, 404, 409, 410]

/** Stops an answer in the background; throws as a call to a model does. */
export async function cancelInBackground(key: ModelKey, responseId: string): Promise<void> {
  const path = pathOfResponse(responseId)
  if (path === null) return
  const call = { key, path: `${path}/cancel`, body: '', accept: 'application/json', timeouts }
  const { status, explain } = await fetchWhole(call)
  if (status !== 200 && !settled.includes(status)) throw explain()
}
