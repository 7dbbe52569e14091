import type { Actor } from '../auth'
import type { MessagePart, ReplyError } from '../contracts/conversations'
import { env } from '../env'
import { type AppError, statusOf } from '../errors'
import {
  cancelResponse,
  lengthOfMessage,
  type ModelCall,
  type ModelEvent,
  type ModelMessage,
  remedyFor,
  streamModel,
} from '../providers'
import type { Opening, ReplySink, ReplySource } from '../replies'
import { pauseOf } from '../usage'
import { type LentKey, noteOutcome, type ServingKey, withCredential } from '../vault'
import { reserveAnswer } from './allowance'
import { explainFiles, giveFiles } from './attachments'
import type { AnsweringAgent, Told } from './context'
import { type Served, writeDown } from './ledger'

type Answering = {
  actor: Actor
  replyId: string
  requestId: string
  agent: AnsweringAgent
  /** What the model is told; read while the key is found. */
  messages: Promise<Told[]>
  /** Asked for this answer alone, instead of the agent's. */
  model: string | null
  /** What an earlier answer said before it broke off; this one says it again and goes on. */
  continued: MessagePart[] | null
}

/** The source of an answer's words, and what is written down when it ends. */
export function answerWith(answering: Answering): { source: ReplySource; opening: Opening } {
  const { actor, replyId, requestId, agent, continued } = answering
  const ledger: { served: Served | null } = { served: null }
  const source: ReplySource = async (sink, signal) => {
    for (const part of continued ?? []) await repeat(part, sink)
    const want = { projectId: agent.project_id, provider: agent.model_provider }
    await withCredential(actor, want, async (key) => {
      const messages = await giveFiles(actor, key, await answering.messages)
      const model = key.provider === 'demo' ? 'demo' : (answering.model ?? agent.model_name)
      const allowance = await reserveAnswer({ actor, replyId, agent, key, model }, messages)
      const asked = serve({ actor, agent, key, model }, messages)
      const served = { ...asked, repeatedLength: lengthOf(continued ?? []), most: allowance?.most ?? null }
      ledger.served = served
      const mostTokens = allowance?.outputTokens ?? agent.max_output_tokens
      const asking = { ...agent, max_output_tokens: mostTokens }
      const call = { ...callOf(asking, key, model), messages, continues: continued !== null, signal }
      await relay(call, served, sink).catch((error: unknown) => explainFiles(messages, error))
    })
  }
  const ended: Opening['ended'] = (end) =>
    writeDown({ userId: actor.userId, replyId, served: ledger.served }, end)
  return { source, opening: { ended, explain: (error) => explainFailure(error, requestId) } }
}

function lengthOf(parts: MessagePart[]): number {
  return parts.reduce((sum, part) => sum + ('text' in part ? part.text.length : 0), 0)
}

function repeat(part: MessagePart, sink: ReplySink): Promise<void> | void {
  if (part.type === 'text') return sink.text(part.text)
  if (part.type === 'reasoning') return sink.reasoning(part.text)
}

type Serving = {
  actor: Pick<Actor, 'keyId'>
  agent: AnsweringAgent
  key: Pick<ServingKey, 'provider' | 'source' | 'credentialId' | 'label' | 'baseUrl'>
  model: string
}

/** What is written down of an answer to these messages. */
export function serve({ actor, agent, key, model }: Serving, messages: ModelMessage[]): Served {
  const inputLength =
    agent.system_prompt.length + messages.reduce((sum, message) => sum + lengthOfMessage(message), 0)
  return {
    provider: key.provider,
    model,
    agentId: agent.id,
    projectId: agent.project_id,
    keySource: key.source,
    credentialId: key.credentialId,
    credentialLabel: key.label,
    keyId: actor.keyId,
    baseUrl: key.baseUrl,
    inputLength,
    repeatedLength: 0,
    most: null,
    startedAtMs: Date.now(),
    firstTokenMs: null,
    silentMs: 0,
    heardAtMs: null,
    responseId: null,
  }
}

type LentCall = ModelCall & { key: LentKey }

/** A question to a model, without what was said. */
export function callOf(agent: AnsweringAgent, key: LentKey, model: string): Omit<LentCall, 'signal'> {
  return {
    key,
    model,
    instructions: agent.system_prompt,
    messages: [],
    temperature: agent.temperature,
    maxOutputTokens: agent.max_output_tokens,
    reasoningEffort: agent.reasoning_effort,
    background: agent.background,
    timeouts: env().PROVIDER_TIMEOUTS,
  }
}

/** Passes on what a model says. `served` is filled in on the way. */
export async function relay(call: LentCall, served: Served, sink: ReplySink): Promise<void> {
  void sink.serving(served)
  let isWhole = false
  try {
    for await (const event of streamModel({ ...call, pace: sink.pace })) {
      isWhole = event.type === 'done'
      if (event.type === 'done') end(event, sink)
      else if (event.type === 'resumable') await noteResponse(event.responseId, served, sink)
      else {
        hear(served)
        await sink[event.type](event.text, event.cursor)
      }
    }
    void noteOutcome(call.key, null)
  } catch (error) {
    void noteOutcome(call.key, error)
    throw error
  } finally {
    const isWanted = isWhole || isHandedOver(call.signal)
    if (served.responseId && !isWanted) void cancelResponse(call.key, served.responseId)
  }
}

function hear(served: Served): void {
  const now = Date.now()
  served.firstTokenMs ??= now - served.startedAtMs
  served.silentMs += pauseOf(now - (served.heardAtMs ?? served.startedAtMs))
  served.heardAtMs = now
}

/** Before the first word is told: all that is committed can be gone on with. */
async function noteResponse(responseId: string, served: Served, sink: ReplySink): Promise<void> {
  served.responseId = responseId
  await sink.serving(served)
  sink.resumable()
}

/** Whether somebody else goes on with the answer. */
function isHandedOver({ aborted, reason }: AbortSignal): boolean {
  return aborted && (reason === 'lost' || reason === 'released')
}

function end(done: Extract<ModelEvent, { type: 'done' }>, sink: ReplySink): void {
  if (done.usage) sink.usage(done.usage)
  if (done.finish !== 'stop') sink.finish(done.finish)
}

/** The error as the reader is told it. */
export function explainFailure(error: AppError, requestId?: string): ReplyError {
  const isOurs = statusOf[error.code] === 500
  return {
    code: error.code,
    message: isOurs
      ? 'The server failed while it wrote this answer. What was said so far is kept.'
      : error.message,
    remedy: remedyFor(error),
    ...(requestId !== undefined && { request_id: requestId }),
  }
}
