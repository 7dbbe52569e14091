import type { Actor } from './auth'
import { answerCall } from './gateway/answer'
import { type ModelCall, readAsked } from './gateway/asked'
import { answerFromCache, type Cached } from './gateway/cache'
import { recall } from './gateway/kept-rows'
import { readQuestion } from './gateway/question'
import { answerOnce } from './gateway/replays'

export { createFile, deleteFile, getFile, getFileContent, listFiles } from './gateway/files'
export { stopSettling } from './gateway/ledger'
export { getModel, listModels } from './gateway/models'
export { callResponse } from './gateway/response-calls'
export { drainRuns, startRuns, stopRuns } from './gateway/runs'
export { startWatch, stopWatch } from './gateway/watch'

/**
 * Answers a call in OpenAI's dialect as OpenAI would, with the keys, the agents and the budget of the actor: streams
 * pass byte for byte, errors keep what they say, and what it cost is written down.
 * Throws invalid_input, not_found for models that the caller may not use, conflict for an `Idempotency-Key` in use,
 * provider_auth if no key serves, provider_failed, provider_timeout, unavailable, budget_exceeded, too_many_requests.
 */
export async function callModel(actor: Actor, call: ModelCall): Promise<Response> {
  const { request } = call
  const asked = await readAsked(call)
  const { response } = await answerOnce(actor, request, asked, async () => {
    const question = await recall(actor, await readQuestion(actor, asked))
    const ask = (cache: Cached) => answerCall({ actor, request, question }, cache)
    return answerFromCache(actor, question, request, ask)
  })
  return response
}
