import { v7 as newId } from 'uuid'
import type { TokenUsage } from '../contracts/conversations'
import { sql } from '../db'
import { asAppError } from '../errors'
import { log } from '../log'
import { readUsage } from '../providers'
import { recordUsage, withUnseen } from '../usage'
import { countInput } from './input-count'
import { estimateInput, estimateTokens, guessInput, inputOfTurns, runsWithin } from './input-guess'
import { findKeyFor } from './keyholder'
import { billOf, type Line, mostOutput, type Use } from './ledger'
import type { OpenBill } from './response-rows'
import { asList, asObject, type JsonObject } from './translate/json'

/** How a response in the background ended. */
export type End = {
  /** Null: the server does not say. */
  usage: TokenUsage | null
  outcome: Use['outcome']
  /** Estimates, where the server does not say. */
  inputTokens?: number
  outputTokens?: number
  /** Tools that its server has run, where it shows what was said. */
  toolRuns?: number
  /** Whether it shows all that was written: not where a model has thought, and not where nothing is shown. */
  showsAll?: boolean
  durationMs?: number
}

/** What the ledger is to be told of a call at its end, and what its server can be asked to count if it does not say. */
export function openBill(
  line: Line,
  { startedAt, firstTokenMs }: { startedAt: Date; firstTokenMs: number | null },
): { bill: OpenBill; count: JsonObject | null } {
  const { question, reservation } = line
  const bill = billOf(line)
  const open = {
    // Without a reservation, too, it is one row of the ledger, however often it is told.
    bill: { ...bill, reservation: bill.reservation ?? { id: newId(), openedAt: startedAt } },
    estimatedInput: estimateInput(question),
    startedAt: startedAt.toISOString(),
    firstTokenMs,
  }
  if (reservation === null) return { bill: open, count: null }
  const { count, ...input } = guessInput(question, line)
  return { bill: { ...open, guess: { input, mostOutput: mostOutput(line) } }, count }
}

const outcomes: Record<string, Use['outcome']> = {
  completed: 'completed',
  incomplete: 'completed',
  failed: 'failed',
  cancelled: 'stopped',
}

/** What a response, as its server tells it, says of its end; null for one that goes on. */
export function readEnd(response: JsonObject): End | null {
  const outcome = outcomes[String(response.status)]
  if (outcome === undefined) return null
  const { created_at: begin, completed_at: end } = response
  const isTimed = typeof begin === 'number' && typeof end === 'number' && end >= begin
  return {
    usage: readUsage(response),
    outcome,
    outputTokens: estimateOutput(response),
    ...(asList(response.output).length > 0 && { toolRuns: countRuns(response) }),
    showsAll: showsAll(response),
    ...(isTimed && { durationMs: (end - begin) * 1000 }),
  }
}

/** Calls that bring their results along were its server's to run. */
function countRuns({ output }: JsonObject): number {
  const types = asList(output).map((item) => String(asObject(item).type))
  return types.filter(
    (type) => type.endsWith('_call') && type !== 'function_call' && type !== 'custom_tool_call',
  ).length
}

function showsAll({ output }: JsonObject): boolean {
  const items = asList(output)
  return items.length > 0 && items.every((item) => asObject(item).type !== 'reasoning')
}

/** About as many tokens as a response holds, by what it says. */
export function estimateOutput({ output }: JsonObject): number {
  const isSaid = Array.isArray(output) && output.length > 0
  return isSaid ? estimateTokens(JSON.stringify(output).length) : 0
}

/**
 * Writes down what a response in the background used, instead of what was set aside for it, once, whoever hears of its
 * end. False where that could not be done yet; true also where there was nothing to do.
 */
export async function settleOpen(id: string, end: End): Promise<boolean> {
  try {
    const [row] = await sql<Pending>`
      SELECT bill, CASE WHEN ${end.usage === null} THEN input END AS count, user_id AS "userId", project_id AS "boundTo", provider, source, credential_id AS "credentialId",
        base_url AS "baseUrl", coalesce(keys_of, project_id) AS "projectId"
      FROM gateway_responses WHERE id = ${id} AND status = 'pending'`
    if (!row) return true
    await writeDown(row.bill, end.usage === null ? await guessUse(row, end) : end)
    await sql`
      UPDATE gateway_responses
      SET status = 'upstream', node_id = NULL, lease_expires_at = NULL, bill = NULL, input = NULL
      WHERE id = ${id} AND status = 'pending'`
    return true
  } catch (error) {
    log().error({ err: asAppError(error), responseId: id }, 'what a response cost was not written down yet')
    return false
  }
}

type Pending = Parameters<typeof findKeyFor>[0] & { bill: OpenBill; count: JsonObject | null }

/** The same end, with what it may have used where that has to be paid for from a budget. */
async function guessUse(row: Pending, end: End): Promise<End> {
  const { guess, startedAt } = row.bill
  if (!guess) return end
  const input = { ...guess.input, count: row.count }
  const counted = await countInput(input, row.count && (await findKeyFor(row)))
  const first = typeof counted === 'number' ? counted : input.tokens
  const tookMs = end.durationMs ?? Date.now() - Date.parse(startedAt)
  const shown = end.outputTokens ?? 0
  return {
    ...end,
    inputTokens: inputOfTurns(first, input, end.toolRuns ?? runsWithin(tookMs)),
    outputTokens: end.showsAll ? shown : withUnseen(shown, tookMs, guess.mostOutput),
  }
}

/** Tells the ledger; again is no harm. Throws unavailable. */
export async function writeDown({ bill, ...known }: OpenBill, end: End): Promise<void> {
  const { usage, outcome } = end
  const { reservation } = bill
  await recordUsage({
    ...bill,
    reservation: reservation && { id: reservation.id, openedAt: new Date(reservation.openedAt) },
    inputTokens: usage?.input_tokens ?? end.inputTokens ?? known.estimatedInput,
    cachedTokens: usage?.cached_tokens ?? 0,
    cacheWriteTokens: usage?.cache_write_tokens ?? null,
    outputTokens: usage?.output_tokens ?? end.outputTokens ?? 0,
    reasoningTokens: usage?.reasoning_tokens ?? 0,
    estimated: usage === null,
    firstTokenMs: known.firstTokenMs,
    durationMs: end.durationMs ?? Date.now() - Date.parse(known.startedAt),
    outcome,
  })
}
