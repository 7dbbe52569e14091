import type { Actor } from '../auth'
import { asAppError } from '../errors'
import { log } from '../log'
import { type Reservation, recordUsage, type UsageRecord } from '../usage'
import type { LentKey } from '../vault'
import type { How } from './exchange'
import type { StreamMeter } from './meter'
import { bytesPerToken } from './output-estimate'
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
  /** Of a call without an answer: that it went out, see `wasSent`. */
  isSent?: boolean
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

/** The calls whose answers are text; the length of others says nothing of what they cost. */
const texts = new Set(['/chat/completions', '/completions', '/responses', '/responses/compact'])

/** What a call fails with that went out and was not answered in time: its server may well have worked for it. */
const lateCodes = new Set<unknown>(['first_byte_timeout', 'total_timeout'])

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

/** Whether a call that failed so before its answer began had gone out, and may have to be paid for. */
export function wasSent(error: unknown): boolean {
  return lateCodes.has(asAppError(error).facts?.code)
}

export function readUse(line: Line, meter: StreamMeter | null, how: How): Use {
  const { question, status } = line
  const isRefused = status !== null && status >= 400
  const estimates = {
    input: () => estimateInput(question),
    output: () => estimateSaid(question, meter),
  }
  return {
    ...countTokens(meter, wasAsked(line, how) ? estimates : null),
    firstTokenMs: isRefused ? null : (meter?.firstByteMs ?? null),
    durationMs: meter?.elapsedMs ?? 0,
    outcome:
      isRefused || how === 'broken' || meter?.hasFailed ? 'failed' : how === 'left' ? 'stopped' : 'completed',
  }
}

type Counted = Omit<Use, 'firstTokenMs' | 'durationMs' | 'outcome'>

/**
 * As many tokens as the server says. What it said before its answer was over holds for what it was asked, but not for
 * what it wrote; that, and what it does not say, is estimated. Without estimates, nobody has to be paid for more.
 */
export function countTokens(
  meter: StreamMeter | null,
  estimates: { input(): number; output(): number } | null,
): Counted {
  const usage = meter?.usage() ?? null
  const known = usage ?? meter?.usageSoFar() ?? null
  return {
    inputTokens: known?.input_tokens ?? estimates?.input() ?? 0,
    cachedTokens: known?.cached_tokens ?? 0,
    cacheWriteTokens: known?.cache_write_tokens ?? null,
    outputTokens: usage?.output_tokens ?? Math.max(known?.output_tokens ?? 0, estimates?.output() ?? 0),
    reasoningTokens: known?.reasoning_tokens ?? 0,
    estimated: usage === null && estimates !== null,
  }
}

/** Whether a model worked for it, as far as is known. */
function wasAsked({ cache, status, isSent = false }: Line, how: How): boolean {
  if (cache === 'hit') return false
  return how === 'left' || (status === null ? isSent : status < 400)
}

function estimateSaid({ path }: Question, meter: StreamMeter | null): number {
  if (meter === null) return 0
  return texts.has(path) ? meter.estimateOutput() : meter.events
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
