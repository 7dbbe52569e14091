import type { Actor } from '../auth'
import { asAppError } from '../errors'
import { log } from '../log'
import { remember } from '../remember'
import { type Reservation, recordUsage, type UsageRecord, withUnseen } from '../usage'
import type { LentKey } from '../vault'
import { countAnswers } from './bounds'
import type { How } from './exchange'
import { countInput } from './input-count'
import { estimateInput, guessInput, inputOfTurns, runsWithin } from './input-guess'
import type { StreamMeter } from './meter'
import type { Question } from './question'
import { boundsOf, modelFor } from './reserve'

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
 * what was set aside for it. What has to be paid for from a budget and was not told is not reckoned too low. Never throws.
 */
export function settle(line: Line, meter: StreamMeter | null, how: How): Promise<void> {
  const settling = writeDown(line, meter, how).finally(() => underWay().delete(settling))
  underWay().add(settling)
  return settling
}

const underWay = () => remember('gateway.settling', () => new Set<Promise<void>>())

/** At the end, before the database goes: what calls cost that are over is written down. */
export async function stopSettling(): Promise<void> {
  while (underWay().size > 0) await Promise.all(underWay())
}

async function writeDown(line: Line, meter: StreamMeter | null, how: How): Promise<void> {
  try {
    const use = readUse(line, meter, how)
    const isPaid = use.estimated && how !== 'whole' && line.reservation !== null
    const inputTokens = isPaid && !meter?.usageSoFar() ? await payInput(line, meter) : use.inputTokens
    await recordUsage({ ...billOf(line), ...use, inputTokens })
  } catch (error) {
    log().error({ err: asAppError(error) }, 'what a call cost was not written down')
  }
}

/** As many tokens as a call that was left told the model, no less. */
async function payInput(line: Line, meter: StreamMeter | null): Promise<number> {
  const guess = guessInput(line.question, line)
  const runs = meter?.toolRuns ?? runsWithin(meter?.elapsedMs ?? 0)
  const counted = await countInput(guess, line.key)
  // A server that says nothing at all has not worked for it either, as far as anybody can tell.
  const isAway = counted === 'failed' && (meter?.firstByteMs ?? null) === null
  const first = typeof counted === 'number' ? counted : isAway ? estimateInput(line.question) : guess.tokens
  return inputOfTurns(first, guess, runs)
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
    output: () => estimateSaid(line, meter, how),
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
function wasAsked({ cache, status, isSent }: Line, how: How): boolean {
  if (cache === 'hit') return false
  return status === null ? (isSent ?? how === 'left') : status < 400
}

function estimateSaid(line: Line, meter: StreamMeter | null, how: How): number {
  if (meter === null) return 0
  const isText = texts.has(line.question.path)
  const shown = isText ? meter.estimateOutput() : meter.events
  if (how === 'whole' || !line.reservation) return shown
  const most = mostOutput(line)
  // Pictures are made whether anybody waits for them or not.
  if (!isText) return Math.max(shown, most ?? 0)
  const answers = countAnswers(line.question.path, line.question.body)
  return withUnseen(shown, meter.silentMs * answers, most)
}

/** As many tokens as were set aside for what a model may write; null: nobody knows. */
export function mostOutput(line: Line): number | null {
  return line.reservation?.outputTokens ?? boundsOf(line.question, line).outputTokens
}
