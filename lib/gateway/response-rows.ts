import { createHash } from 'node:crypto'
import type { Actor } from '../auth'
import { requireRoom, sql } from '../db'
import { AppError } from '../errors'
import type { LentKey } from '../vault'
import type { Call } from './call'
import type { InputGuess } from './input-guess'
import type { Maker } from './keyholder'
import type { Bill } from './ledger'
import { nodeId } from './node'
import type { Target } from './targets'
import type { JsonObject } from './translate/json'

/** For so long whoever is at work on a response is believed to be, without a word. */
export const leaseMs = 30_000

/** What the ledger is to be told of a response whose use is known only at its end. */
export type OpenBill = {
  bill: Bill
  /** As far as the question tells. */
  estimatedInput: number
  /**
   * Where it is paid for from a budget: how much it may have been if its server does not say. What that is asked to count
   * stands beside it.
   */
  guess?: { input: Omit<InputGuess, 'count'>; mostOutput: number | null }
  /** ISO 8601. */
  startedAt: string
  firstTokenMs: number | null
}

/** A response that was made here, as its maker finds it again. */
export type ResponseRow = Maker & {
  id: string
  userId: string
  /** The project that the maker's API key was bound to. */
  boundTo: string | null
  model: string
  background: boolean
  /** upstream, pending: kept there, and its use known or not. The others are how one that is kept here stands. */
  status:
    | 'upstream'
    | 'pending'
    | 'queued'
    | 'in_progress'
    | 'completed'
    | 'incomplete'
    | 'failed'
    | 'cancelled'
  bill: OpenBill | null
  /** Of one that is kept here and was made in the background: its events are, too, as long as they can be asked for. */
  isStream: boolean
}

/** The actor's response of this name; null for a stranger's, or none. */
export async function findOwnRow({ userId, boundTo }: Actor, id: string): Promise<ResponseRow | null> {
  const [row] = await sql<ResponseRow>`
    SELECT id, user_id AS "userId", project_id AS "boundTo", provider, source, credential_id AS "credentialId",
      base_url AS "baseUrl", model, background, status, bill, is_stream AS "isStream",
      coalesce(keys_of, project_id) AS "projectId"
    FROM gateway_responses
    WHERE id = ${id} AND user_id = ${userId}::uuid AND (${boundTo}::uuid IS NULL OR project_id = ${boundTo}::uuid)
      AND status <> 'item'`
  return row ?? null
}

/**
 * Writes down whose a response is that a model server keeps; with a bill, that its use is to be asked for. False for a
 * name that is taken: a server can call its answers as it likes, and another's stays another's.
 */
export async function insertUpstreamRow(
  { actor, question }: Call,
  { key, model }: Target,
  { id, bill, count }: { id: string; bill: OpenBill | null; count: JsonObject | null },
): Promise<boolean> {
  await requireRoom()
  const made = await sql`
    INSERT INTO gateway_responses
      (id, user_id, project_id, provider, source, credential_id, base_url, model, background, status, keys_of, bill,
       input, node_id, lease_expires_at)
    VALUES (${id}, ${actor.userId}::uuid, ${actor.boundTo}::uuid, ${key.provider}, ${key.source},
      ${key.credentialId}::uuid, ${key.baseUrl}, ${model ?? 'unknown'}, ${question.body.background === true},
      ${bill ? 'pending' : 'upstream'}, ${question.want.projectId ?? null}::uuid,
      ${bill && JSON.stringify(bill)}::json, ${count && JSON.stringify(count)}::json, ${bill && nodeId()}::text,
      CASE WHEN ${bill !== null} THEN now() + ${leaseMs}::int * interval '1 millisecond' END)
    ON CONFLICT (id) DO NOTHING RETURNING 1`
  return made.length > 0
}

/**
 * Writes down that these items are of a response's output, so that whoever made it can name them. `from` is whose word
 * that is: another server than the response's own may call its answers as it likes. A row is named by its owner and
 * their key, too, so that what one server calls its items is in nobody else's way.
 */
export async function insertItemRows(
  responseId: string,
  itemIds: string[],
  from: Pick<Maker, 'provider' | 'baseUrl'>,
): Promise<void> {
  if (itemIds.length === 0) return
  await requireRoom()
  await sql`
    INSERT INTO gateway_responses
      (id, user_id, project_id, provider, source, credential_id, base_url, model, status, previous_id)
    SELECT item.id || '@' || encode(sha256(convert_to(
        concat_ws('|', r.user_id, r.provider, r.source, r.credential_id, r.base_url), 'UTF8')), 'hex'),
      r.user_id, r.project_id, r.provider, r.source, r.credential_id, r.base_url, r.model, 'item', r.id
    FROM gateway_responses r, unnest(${itemIds}::text[]) AS item(id)
    WHERE r.id = ${responseId} AND r.provider = ${from.provider} AND r.base_url = ${from.baseUrl}
    ON CONFLICT (id) DO NOTHING`
}

/** Which of these items are of responses that the actor made with this key. */
export async function findOwnItems(
  { userId, boundTo }: Actor,
  { provider, source, credentialId, baseUrl }: LentKey,
  itemIds: string[],
): Promise<Set<string>> {
  if (itemIds.length === 0) return new Set()
  const place = [userId, provider, source, ...(credentialId === null ? [] : [credentialId]), baseUrl].join(
    '|',
  )
  const suffix = `@${createHash('sha256').update(place).digest('hex')}`
  // Those that were written down by their own names alone are still read.
  const rowIds = itemIds.flatMap((id) => [id, id + suffix])
  const rows = await sql<{ id: string }>`
    SELECT split_part(id, '@', 1) AS id FROM gateway_responses
    WHERE id = ANY(${rowIds}::text[]) AND status = 'item' AND user_id = ${userId}::uuid
      AND provider = ${provider} AND source = ${source} AND base_url = ${baseUrl}
      AND credential_id IS NOT DISTINCT FROM ${credentialId}::uuid
      AND (${boundTo}::uuid IS NULL OR project_id = ${boundTo}::uuid)`
  return new Set(rows.map(({ id }) => id))
}

export async function deleteRow(id: string): Promise<void> {
  await sql`DELETE FROM gateway_responses WHERE id = ${id}`
}

/** OpenAI's words for a response that there is not, or not for this caller. */
export function noResponse(id: string): AppError {
  return new AppError('not_found', `Response with id '${id}' not found.`, { facts: { code: null } })
}
