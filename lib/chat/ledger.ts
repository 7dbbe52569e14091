import { z } from 'zod'
import { log } from '../log'
import type { ReplyEnd, Upstream } from '../replies'
import { pauseOf, recordUsage, withUnseen } from '../usage'

/** What the ledger and the next writer need to know of one answer; kept with the reply while it is written. */
export const Served = z.object({
  provider: z.enum(['openai', 'openai-compatible', 'anthropic', 'demo']),
  model: z.string(),
  agentId: z.string(),
  projectId: z.string(),
  keySource: z.string(),
  credentialId: z.string().nullable(),
  credentialLabel: z.string().nullable().default(null),
  /** The API key that the question came with, if any. */
  keyId: z.string().nullable().default(null),
  baseUrl: z.string(),
  /** Characters that the model was told. */
  inputLength: z.number(),
  /** Characters that an answer before this one said, which were paid for then. */
  repeatedLength: z.number(),
  /** Where it is paid for from a budget: as many tokens as it is taken for where its provider does not say. */
  most: z.object({ input: z.number(), output: z.number().nullable() }).nullable().default(null),
  startedAtMs: z.number(),
  firstTokenMs: z.number().nullable(),
  /** All pauses of the model until it was heard last, and when that was. */
  silentMs: z.number().default(0),
  heardAtMs: z.number().nullable().default(null),
  /** Where the answer can be picked up again, if it can. */
  responseId: z.string().nullable(),
})
export type Served = z.infer<typeof Served> & Upstream

/** A token is about four characters of English; the estimate is marked as one. */
const charactersPerToken = 4

type Counted = { userId: string; replyId: string; served: Served | null }

/** Writes down what an answer cost, however it ended. A reply is counted once. */
export async function writeDown({ userId, replyId, served }: Counted, end: ReplyEnd): Promise<void> {
  if (!served) return
  const durationMs = Math.max(0, Math.round(Date.now() - served.startedAtMs))
  const isNew = await recordUsage({
    userId,
    projectId: served.projectId,
    agentId: served.agentId,
    replyId,
    surface: served.keyId === null ? 'page' : 'api',
    keyId: served.keyId,
    credentialId: served.credentialId,
    credentialLabel: served.credentialLabel,
    provider: served.provider,
    model: served.model,
    keySource: served.keySource,
    inputTokens: end.usage?.input_tokens ?? estimateInput(served, end),
    cachedTokens: end.usage?.cached_tokens ?? 0,
    cacheWriteTokens: end.usage?.cache_write_tokens ?? null,
    outputTokens: end.usage?.output_tokens ?? estimateOutput(served, end),
    reasoningTokens: end.usage?.reasoning_tokens ?? 0,
    estimated: end.usage === null,
    firstTokenMs: served.firstTokenMs,
    durationMs,
    outcome: end.type,
  })
  if (!isNew) log().info({ replyId }, 'this reply was counted before')
}

/** Whether somebody who pays from a budget has left a model at work, for all that is known. */
function isLeft({ most, firstTokenMs }: Served, { type }: ReplyEnd): boolean {
  return most !== null && (type === 'stopped' || (type === 'failed' && firstTokenMs !== null))
}

function estimateInput(served: Served, end: ReplyEnd): number {
  const words = estimateTokens(served.inputLength)
  return isLeft(served, end) ? Math.max(words, served.most?.input ?? 0) : words
}

function estimateOutput(served: Served, end: ReplyEnd): number {
  const shown = estimateTokens(Math.max(0, end.outputLength - served.repeatedLength))
  const silentMs = served.silentMs + pauseOf(Date.now() - (served.heardAtMs ?? served.startedAtMs))
  return isLeft(served, end) ? withUnseen(shown, silentMs, served.most?.output ?? null) : shown
}

const estimateTokens = (characters: number) => Math.ceil(characters / charactersPerToken)
