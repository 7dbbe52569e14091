import { type Actor, findUser } from '../auth'
import { asAppError, statusOf } from '../errors'
import type { Abandoned, Adopt, Frame, ReplySource } from '../replies'
import { findServingKey, type ServingKey, withCredential } from '../vault'
import { callOf, explainFailure, relay, serve } from './answer'
import { getAnsweringAgent, readHistory } from './context'
import { announceConversation } from './feed'
import { Served, writeDown } from './ledger'

/**
 * How an answer goes on whose server is gone: one that its provider still writes is picked up after the last word that
 * is stored, with the key that began it; any other breaks off there, and is counted.
 */
export const adoptAnswer: Adopt = async (abandoned, said) => {
  const { replyId, userId, conversationId, upstream } = abandoned
  const served = Served.safeParse(upstream).data ?? (await guessServed(abandoned))
  return {
    opening: {
      explain: (error) => explainFailure(error),
      ended: (end) => writeDown({ userId, replyId, served }, end),
      settled: () => announceConversation(userId, conversationId),
    },
    source: served?.responseId ? await pickUp(abandoned, served, said) : null,
  }
}

/**
 * Who answers is noted while the provider is asked, not before, so that nobody waits for the note. Where there is none,
 * the provider may have been asked all the same, and what would have been asked is counted. Null if that is gone.
 */
async function guessServed({ userId, conversationId, messageId }: Abandoned): Promise<Served | null> {
  const actor = await findUser(userId)
  if (!actor) return null
  try {
    const agent = await getAnsweringAgent(actor, conversationId)
    const want = { projectId: agent.project_id, provider: agent.model_provider }
    const key = await findServingKey(actor, want)
    const messages = await readHistory(conversationId, messageId)
    return serve({ actor, agent, key, model: key.provider === 'demo' ? 'demo' : agent.model_name }, messages)
  } catch (error) {
    if (statusOf[asAppError(error).code] < 500) return null
    throw error
  }
}

async function pickUp(abandoned: Abandoned, served: Served, said: Frame[]): Promise<ReplySource | null> {
  const last = said.at(-1)
  // Without a word yet, all of it is still to come.
  const after = last ? last.cursor : -1
  const actor = await findUser(abandoned.userId)
  if (!actor || after === undefined) return null
  const began = said.some(({ type }) => type === 'text')
  const reasoned = said.some(({ type }) => type === 'reasoning')
  return resume(actor, abandoned, served, { after, began, reasoned })
}

type Place = { after: number; began: boolean; reasoned: boolean }

function resume(actor: Actor, abandoned: Abandoned, served: Served, place: Place): ReplySource {
  return async (sink, signal) => {
    const agent = await getAnsweringAgent(actor, abandoned.conversationId)
    const want = { projectId: agent.project_id, provider: agent.model_provider }
    return withCredential(actor, want, async (key) => {
      // Another account knows nothing of this answer, and need not hear of it.
      if (!isSameAccount(key, served)) return 'interrupted'
      const call = callOf(agent, key, served.model)
      const responseId = served.responseId ?? ''
      sink.resumable()
      try {
        await relay({ ...call, signal, resume: { responseId, ...place } }, served, sink)
      } catch (error) {
        if (signal.aborted) throw error
        return 'interrupted'
      }
    })
  }
}

/** Keys of Papita and of the environment have no id; where they come from tells them apart. */
function isSameAccount({ credentialId, source, baseUrl }: ServingKey, served: Served): boolean {
  return credentialId === served.credentialId && source === served.keySource && baseUrl === served.baseUrl
}
