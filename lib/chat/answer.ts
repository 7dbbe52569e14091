import type { Actor } from '../auth'
import type { AgentRecord } from '../contracts/projects'
import { db } from '../db'
import { env } from '../env'
import { type AppError, statusOf } from '../errors'
import { getAgent } from '../projects'
import { type ModelEvent, type ModelMessage, remedyFor, streamModel } from '../providers'
import type { ReplyEnd, ReplySink, ReplySource } from '../replies'
import { recordUsage } from '../usage'
import { type LentKey, withCredential } from '../vault'

type Answering = {
  actor: Actor
  agentId: string
  replyId: string
  messageId: string
  /** Asked for this answer alone, instead of the agent's. */
  model: string | null
}

/** How much of a conversation a model is told, in characters; the newest messages first. */
const maxHistoryLength = 600_000
const maxHistoryMessages = 400

type Line = { role: string; text: string }

/** What was said on the way from the first message to this one, oldest first. */
async function readHistory(messageId: string): Promise<ModelMessage[]> {
  const lines = await db().$queryRaw<Line[]>`
    WITH RECURSIVE path AS (
      SELECT id, parent_id, role, text, 0 AS depth FROM messages WHERE id = ${messageId}::uuid
      UNION ALL
      SELECT m.id, m.parent_id, m.role, m.text, p.depth + 1
      FROM messages m JOIN path p ON m.id = p.parent_id
      WHERE p.depth < ${maxHistoryMessages}
    )
    SELECT role, text FROM path WHERE depth > 0 AND text <> '' ORDER BY depth`
  let length = 0
  const newest = lines.filter(({ text }, index) => {
    length += text.length
    return index === 0 || length <= maxHistoryLength
  })
  return newest
    .reverse()
    .map(({ role, text }) => ({ role: role === 'assistant' ? 'assistant' : 'user', text }))
}

/** The model's name where no model of the provider's is asked. */
function modelFor(key: LentKey, agent: AgentRecord, model: string | null): string {
  return key.provider === 'demo' ? 'demo' : (model ?? agent.model_name)
}

/** What the ledger needs to know of one answer, gathered while it is written. */
type Ledger = {
  startedAt: number
  firstTokenMs: number | null
  inputLength: number
  served: { agent: AgentRecord; key: LentKey; model: string } | null
}

/** The source of an answer's words, and what is written down when it ends. */
export function answerWith(answering: Answering): {
  source: ReplySource
  ended: (end: ReplyEnd) => Promise<void>
} {
  const ledger: Ledger = { startedAt: performance.now(), firstTokenMs: null, inputLength: 0, served: null }
  const source: ReplySource = async (sink, signal) => {
    const { actor, agentId, messageId } = answering
    const [agent, messages] = await Promise.all([getAgent(actor, agentId), readHistory(messageId)])
    ledger.inputLength = agent.system_prompt.length + messages.reduce((sum, { text }) => sum + text.length, 0)
    const want = { projectId: agent.project_id, provider: agent.model_provider }
    await withCredential(actor, want, async (key) => {
      ledger.served = { agent, key, model: modelFor(key, agent, answering.model) }
      await stream({ ...ledger.served, messages, ledger }, sink, signal)
    })
  }
  return { source, ended: (end) => writeDown(answering, ledger, end) }
}

type Call = { agent: AgentRecord; key: LentKey; model: string; messages: ModelMessage[]; ledger: Ledger }

async function stream(call: Call, sink: ReplySink, signal: AbortSignal): Promise<void> {
  const { agent, key, model, messages, ledger } = call
  sink.serving({ provider: key.provider, model })
  const events = streamModel({
    key,
    model,
    instructions: agent.system_prompt,
    messages,
    temperature: agent.temperature,
    maxOutputTokens: agent.max_output_tokens,
    reasoningEffort: agent.reasoning_effort,
    timeouts: env().PROVIDER_TIMEOUTS,
    signal,
  })
  for await (const event of events) {
    if (event.type !== 'done') ledger.firstTokenMs ??= Math.round(performance.now() - ledger.startedAt)
    if (event.type === 'text') await sink.text(event.text)
    else if (event.type === 'reasoning') await sink.reasoning(event.text)
    else end(event, sink)
  }
}

function end(done: Extract<ModelEvent, { type: 'done' }>, sink: ReplySink): void {
  if (done.usage) sink.usage(done.usage)
  if (done.finish !== 'stop') sink.finish(done.finish)
}

/** A token is about four characters of English; the estimate is marked as one. */
const charactersPerToken = 4

async function writeDown(answering: Answering, ledger: Ledger, end: ReplyEnd): Promise<void> {
  if (!ledger.served) return
  const { agent, key, model } = ledger.served
  await recordUsage({
    userId: answering.actor.userId,
    projectId: agent.project_id,
    agentId: agent.id,
    replyId: answering.replyId,
    provider: key.provider,
    model,
    keySource: key.source,
    inputTokens: end.usage?.input_tokens ?? Math.ceil(ledger.inputLength / charactersPerToken),
    cachedTokens: end.usage?.cached_tokens ?? 0,
    outputTokens: end.usage?.output_tokens ?? Math.ceil(end.outputLength / charactersPerToken),
    reasoningTokens: end.usage?.reasoning_tokens ?? 0,
    estimated: end.usage === null,
    firstTokenMs: ledger.firstTokenMs,
    durationMs: Math.round(performance.now() - ledger.startedAt),
    outcome: end.type,
  })
}

/** The error as the reader is told it. */
export function explainFailure(error: AppError, requestId: string) {
  const isOurs = statusOf[error.code] === 500
  return {
    code: error.code,
    message: isOurs
      ? 'The server failed while it wrote this answer. What was said so far is kept.'
      : error.message,
    remedy: remedyFor(error),
    request_id: requestId,
  }
}
