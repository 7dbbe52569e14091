import type { Actor } from '../auth'
import { isModelAllowed } from '../contracts/keys'
import { AppError } from '../errors'
import { lengthOfMessage, type ModelFile, type ModelMessage } from '../providers'
import { findModelLimits, type ModelLimits, requireUseLeft, reserveUse } from '../usage'
import type { LentKey } from '../vault'
import { type AnsweringAgent, getAnsweringAgent } from './context'

/** What a message takes beside its words, at most. */
const messageTokens = 64

type Named = Pick<AnsweringAgent, 'id' | 'model_name'>

/**
 * Refuses what the caller's API key may not ask for, before anything is stored of it: a model that it does not allow, or
 * anything while its budget or its minute is used up. Throws forbidden, budget_exceeded, too_many_requests.
 */
export async function requireLeave(actor: Actor, agent: Named, model: string | null): Promise<void> {
  const { policy } = actor
  const isNamed = model === null && isModelAllowed(policy, `agent:${agent.id}`)
  if (!isNamed && !isModelAllowed(policy, model ?? agent.model_name)) {
    const message = `This API key may not use the model ${model ?? agent.model_name}.`
    throw new AppError('forbidden', message, { facts: { code: 'model_not_allowed' } })
  }
  await requireUseLeft(actor)
}

/** The same, in a conversation; throws not_found, too. */
export async function requireLeaveIn(
  actor: Actor,
  conversationId: string,
  model: string | null,
): Promise<void> {
  if (actor.policy === null) return
  if (actor.policy.allowedModels.length === 0) return requireUseLeft(actor)
  await requireLeave(actor, await getAnsweringAgent(actor, conversationId), model)
}

type Answering = { actor: Actor; replyId: string; agent: AnsweringAgent; key: LentKey; model: string }

/** What an answer is allowed. */
type Allowance = {
  /** As many tokens as the model may be asked for; null: as many as the agent is set to. */
  outputTokens: number | null
  /** What it is taken for where its provider does not say. */
  most: { input: number; output: number | null }
}

/**
 * Sets aside what an answer may cost, under the reply's id, by which it is settled. Null where nothing limits the caller.
 * Throws budget_exceeded, too_many_requests, forbidden.
 */
export async function reserveAnswer(
  { actor, replyId, agent, key, model }: Answering,
  messages: ModelMessage[],
): Promise<Allowance | null> {
  if (actor.policy === null) return null
  const { provider } = key
  const limits = findModelLimits(provider, model)
  const inputTokens = boundInput(agent.system_prompt, messages, limits)
  const length = messages.reduce((sum, message) => sum + lengthOfMessage(message), agent.system_prompt.length)
  const stated = agent.max_output_tokens
  const reservation = await reserveUse(actor, {
    provider,
    model,
    surface: 'api',
    inputTokens,
    outputTokens: stated,
    mostOutputTokens: limits.output,
    likelyTokens: Math.ceil(length / 4) + (stated ?? 0),
    id: replyId,
  })
  if (reservation === null) return null
  const { outputTokens } = reservation
  // Words are known well enough; what else is in files is not.
  const files = messages.flatMap((message) => message.files ?? []).filter(({ content }) => isOpaque(content))
  const input = files.reduce((sum, file) => sum + guessFile(file, limits), Math.ceil(length / 4))
  const output = outputTokens ?? stated ?? limits.output
  return { outputTokens, most: { input: Math.min(inputTokens, input), output } }
}

const isOpaque = ({ type }: ModelFile['content']) => type !== 'text' && type !== 'absent'

/** A token has at least a byte, and no model reads more than its window. */
function boundInput(instructions: string, messages: ModelMessage[], limits: ModelLimits): number {
  const tokensOf = ({ text, files = [] }: ModelMessage) =>
    files.reduce((sum, file) => sum + boundFile(file, limits), Buffer.byteLength(text) + messageTokens)
  const start = Buffer.byteLength(instructions) + messageTokens
  return Math.min(
    limits.context,
    messages.reduce((sum, message) => sum + tokensOf(message), start),
  )
}

/** A page of a document that says much in few bytes is read as a picture besides. */
function guessFile(file: ModelFile, limits: ModelLimits): number {
  return Math.min(
    boundFile(file, limits),
    file.content.type === 'document' ? file.bytes / 2 : limits.picture.fine,
  )
}

function boundFile({ filename, content }: ModelFile, { context, picture }: ModelLimits): number {
  const name = Buffer.byteLength(filename) + messageTokens
  if (content.type === 'text') return name + Buffer.byteLength(content.text)
  if (content.type === 'absent') return name + Buffer.byteLength(content.reason)
  // Of a document each page is read as a picture, too.
  return name + (content.type === 'image' ? picture.fine : context)
}
