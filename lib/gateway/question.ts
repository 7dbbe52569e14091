import type { Actor } from '../auth'
import { isModelAllowed } from '../contracts/keys'
import { AppError, asAppError } from '../errors'
import { getAgent } from '../projects'
import type { CredentialQuery } from '../vault'
import { dressAsAgent } from './agents'
import type { Asked } from './asked'

/** A call with all that is known of it before anybody is asked. */
export type Question = Asked & {
  want: CredentialQuery
  agentId: string | null
  /** Where its cost belongs. */
  projectId: string | null
}

const agentPrefix = 'agent:'

/**
 * What is asked for in the end: an agent's model with the agent's settings, where an agent is named as the model.
 * Throws not_found for models that the caller's key does not allow, and for strangers' agents.
 */
export async function readQuestion(actor: Actor, asked: Asked): Promise<Question> {
  const named = asked.model
  if (!named?.startsWith(agentPrefix)) {
    if (!isModelAllowed(actor.policy, named)) throw noModel(named)
    return {
      ...asked,
      want: { projectId: actor.boundTo, provider: 'any' },
      agentId: null,
      projectId: actor.boundTo,
    }
  }
  const agent = await getAgent(actor, named.slice(agentPrefix.length)).catch((error: unknown) => {
    throw asAppError(error).code === 'not_found' ? noModel(named) : error
  })
  if (!isModelAllowed(actor.policy, named) && !isModelAllowed(actor.policy, agent.model_name))
    throw noModel(named)
  const provider = agent.model_provider === 'auto' ? 'any' : agent.model_provider
  return {
    ...dressAsAgent(asked, agent),
    want: { projectId: agent.project_id, provider },
    agentId: agent.id,
    projectId: agent.project_id,
  }
}

/** OpenAI's own words for a model that there is not, or not for this caller. What looks like a key is not repeated. */
export function noModel(model: string | null): AppError {
  const name = /^(?:[spr]k[-_]|alc_)/.test(model ?? '') ? 'of this name' : `\`${model}\``
  const message =
    model === null
      ? 'This API key is for certain models alone. Name one of them.'
      : `The model ${name} does not exist or you do not have access to it.`
  const facts = { code: 'model_not_found' }
  return new AppError('not_found', message, { facts, issues: [{ path: 'model', message }] })
}
