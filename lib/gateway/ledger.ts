import type { Actor } from '../auth'
import { asAppError } from '../errors'
import { log } from '../log'
import { type Reservation, recordUsage, type UsageRecord } from '../usage'
import type { LentKey } from '../vault'
import type { How } from './exchange'
import type { StreamMeter } from './meter'
import type { Question } from './question'
import { modelFor } from './reserve'

/** One call as it is written down. */
export type Line = {
  actor: Actor
  question: Question
  key: LentKey
  /** What was asked for in the end. */
  model: string | null
  status: number | null
  retries: number
  reservation: Reservation | null
  requestId: string | null
  cache: 'hit' | 'miss' | null
}

/** What came of a call. */
export type Use = Pick<
  UsageRecord,
  | 'inputTokens'
  | 'cachedTokens'
  | 'cacheWriteTokens'
  | 'outputTokens'
  | 'reasoningTokens'
  | 'estimated'
  | 'firstTokenMs'
  | 'durationMs'
  | 'outcome'
>

/** What is known of a call before it is known what it used. */
export type Bill = Omit<UsageRecord, keyof Use>

/** A token is about four bytes of what was asked, or said; the estimate is marked as one. */
const bytesPerToken = 4

/**
 * Writes down what a call used: what the server says, or, of a stream that was left, what came of it; and takes it out of
 * what was set aside for it. Never throws.
 */
export async function settle(line: Line, meter: StreamMeter | null, how: How): Promise<void> {
  try {
    await recordUsage({ ...billOf(line), ...readUse(line, meter, how) })
  } catch (error) {
    log().error({ err: asAppError(error) }, 'what a call cost was not written down')
  }
}

/** All that the ledger is told of a call but its use. */
export function billOf(line: Line): Bill {
  const { actor, question, key, reservation } = line
  return {
    userId: actor.userId,
    projectId: question.projectId,
    agentId: question.agentId,
    surface: 'gateway',
    keyId: actor.keyId,
    credentialId: key.credentialId,
    credentialLabel: key.label,
    provider: key.provider,
    model: modelFor(question.path, line.model),
    keySource: key.source,
    endpoint: question.path,
    status: line.status,
    retries: line.retries,
    cache: line.cache,
    requestId: line.requestId,
    reservation: reservation && { id: reservation.id, openedAt: reservation.openedAt },
  }
}

function readUse({ question, status, cache }: Line, meter: StreamMeter | null, how: How): Use {
  const isRefused = status !== null && status >= 400
  const usage = meter?.usage() ?? null
  const wasAsked = cache !== 'hit' && (how === 'left' || (status !== null && !isRefused))
  return {
    inputTokens: usage?.input_tokens ?? (wasAsked ? estimateInput(question) : 0),
    cachedTokens: usage?.cached_tokens ?? 0,
    cacheWriteTokens: usage?.cache_write_tokens ?? null,
    outputTokens: usage?.output_tokens ?? (wasAsked ? (meter?.events ?? 0) : 0),
    reasoningTokens: usage?.reasoning_tokens ?? 0,
    estimated: usage === null && wasAsked,
    firstTokenMs: isRefused ? null : (meter?.firstByteMs ?? null),
    durationMs: meter?.elapsedMs ?? 0,
    outcome:
      isRefused || how === 'broken' || meter?.hasFailed ? 'failed' : how === 'left' ? 'stopped' : 'completed',
  }
}

/** About as many tokens as a call tells the model, with what is sent along of a conversation that is kept here. */
export function estimateInput({ path, bytes, earlier = [] }: Question): number {
  if (path === '/moderations') return 0
  const before = earlier.length > 0 ? JSON.stringify(earlier).length : 0
  return estimateTokens(bytes.byteLength + before)
}

/** About as many tokens as so many bytes are. */
export function estimateTokens(bytes: number): number {
  return Math.ceil(bytes / bytesPerToken)
}
