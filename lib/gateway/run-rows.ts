import { requireRoom, sql } from '../db'
import type { Call } from './call'
import { nodeId } from './node'
import { leaseMs, type OpenBill } from './response-rows'
import type { Target } from './targets'
import { isObject, type JsonObject } from './translate/json'

/** An event as it is kept: `data` is the text of its line. */
export type KeptEvent = { seq: number; type: string; data: string }

/** A response in the background, as it begins. */
export type Beginning = {
  id: string
  response: JsonObject
  items: JsonObject[]
  previousId: string | null
  isStream: boolean
  bill: OpenBill
  events: KeptEvent[]
}

const columnsOf = (events: KeptEvent[]) => ({
  seqs: events.map(({ seq }) => seq),
  types: events.map(({ type }) => type),
  texts: events.map(({ data }) => data),
})

/** Writes a response down that is to be made in the background, with its first events. Throws storage_full. */
export async function insertRun(
  { actor, question }: Omit<Call, 'signal'>,
  { key, model }: Target,
  { id, response, items, previousId, isStream, bill, events }: Beginning,
): Promise<void> {
  await requireRoom()
  const { seqs, types, texts } = columnsOf(events)
  await sql`
    WITH made AS (
      INSERT INTO gateway_responses
        (id, user_id, project_id, provider, source, credential_id, base_url, model, background, status, body, input,
         keys_of, is_stream, bill, previous_id, node_id, lease_expires_at)
      VALUES (${id}, ${actor.userId}::uuid, ${actor.boundTo}::uuid, ${key.provider}, ${key.source},
        ${key.credentialId}::uuid, ${key.baseUrl}, ${model ?? 'unknown'}, true, 'queued',
        ${JSON.stringify(response)}::json, ${JSON.stringify(items)}::json, ${question.want.projectId ?? null}::uuid,
        ${isStream}, ${JSON.stringify(bill)}::json, ${previousId}, ${nodeId()},
        now() + ${leaseMs}::int * interval '1 millisecond')
      RETURNING id)
    INSERT INTO gateway_response_events (response_id, seq, type, data)
    SELECT made.id, e.seq, e.type, e.data
    FROM made, unnest(${seqs}::int[], ${types}::text[], ${texts}::text[]) AS e(seq, type, data)`
}

/** Says that a response is being made. False where it is not ours any more. */
export async function markStarted(id: string, response: JsonObject): Promise<boolean> {
  const rows = await sql`
    UPDATE gateway_responses SET status = 'in_progress', body = ${JSON.stringify(response)}::json
    WHERE id = ${id} AND node_id = ${nodeId()} AND status IN ('queued', 'in_progress') RETURNING 1`
  return rows.length > 0
}

/** Writes down whom the ledger is to be told of, should nobody live to tell it. False where it is not ours any more. */
export async function updateBill(id: string, bill: OpenBill): Promise<boolean> {
  const rows = await sql`
    UPDATE gateway_responses SET bill = ${JSON.stringify(bill)}::json
    WHERE id = ${id} AND node_id = ${nodeId()} AND status IN ('queued', 'in_progress') RETURNING 1`
  return rows.length > 0
}

/**
 * Commits events in their order. False where the response is not ours any more: nobody takes it over meanwhile. Throws
 * storage_full, unavailable.
 */
export async function insertEvents(id: string, events: KeptEvent[]): Promise<boolean> {
  await requireRoom()
  const { seqs, types, texts } = columnsOf(events)
  const rows = await sql<{ ours: number }>`
    WITH ours AS (
      SELECT id FROM gateway_responses
      WHERE id = ${id} AND node_id = ${nodeId()} AND status IN ('queued', 'in_progress')
      FOR NO KEY UPDATE),
    told AS (
      INSERT INTO gateway_response_events (response_id, seq, type, data)
      SELECT ours.id, e.seq, e.type, e.data
      FROM ours, unnest(${seqs}::int[], ${types}::text[], ${texts}::text[]) AS e(seq, type, data)
      ON CONFLICT DO NOTHING)
    SELECT count(*)::int AS ours FROM ours`
  return rows[0]?.ours === 1
}

/**
 * Ends a response and commits its last events, both or neither. `lease_expires_at` says from now on when that was. False
 * where it is not ours any more.
 */
export async function endRun(id: string, response: JsonObject, events: KeptEvent[]): Promise<boolean> {
  const { seqs, types, texts } = columnsOf(events)
  const rows = await sql<{ ended: number }>`
    WITH ended AS (
      UPDATE gateway_responses SET status = ${String(response.status)}, body = ${JSON.stringify(response)}::json,
        bill = NULL, node_id = NULL, lease_expires_at = now()
      WHERE id = ${id} AND node_id = ${nodeId()} AND status IN ('queued', 'in_progress') RETURNING id),
    told AS (
      INSERT INTO gateway_response_events (response_id, seq, type, data)
      SELECT ended.id, e.seq, e.type, e.data
      FROM ended, unnest(${seqs}::int[], ${types}::text[], ${texts}::text[]) AS e(seq, type, data)
      ON CONFLICT DO NOTHING)
    SELECT count(*)::int AS ended FROM ended`
  return rows[0]?.ended === 1
}

/** A page of the events after a number, in their order. */
export function readEvents(id: string, after: number, limit: number): Promise<KeptEvent[]> {
  return sql<KeptEvent>`
    SELECT seq, type, data FROM gateway_response_events
    WHERE response_id = ${id} AND seq > ${after}::int ORDER BY seq LIMIT ${limit}::int`
}

/** Whether a response is still to be written to; false for one that is gone. */
export async function isUnderWay(id: string): Promise<boolean> {
  const rows = await sql`
    SELECT 1 FROM gateway_responses WHERE id = ${id} AND status IN ('queued', 'in_progress')`
  return rows.length > 0
}

/** A response whose server is gone. */
export type LostRun = { id: string; response: JsonObject; bill: OpenBill | null; isCancelled: boolean }

/** Takes over responses that nobody writes any more, but for those that we do: they are ours then. */
export async function takeOverRuns(most: number, own: string[]): Promise<LostRun[]> {
  const rows = await sql<LostRun>`
    UPDATE gateway_responses
    SET node_id = ${nodeId()}, lease_expires_at = now() + ${leaseMs}::int * interval '1 millisecond'
    WHERE id IN (
      SELECT id FROM gateway_responses
      WHERE status IN ('queued', 'in_progress') AND lease_expires_at <= now() AND id <> ALL(${own}::text[])
      ORDER BY lease_expires_at LIMIT ${most}::int FOR UPDATE SKIP LOCKED)
    RETURNING id, body AS response, bill, cancelled AS "isCancelled"`
  return rows.map((row) => ({ ...row, response: isObject(row.response) ? row.response : {} }))
}

/** Nothing that is under way in the database is anybody's. */
export async function expireRuns(): Promise<void> {
  await sql`UPDATE gateway_responses SET lease_expires_at = now() WHERE status IN ('queued', 'in_progress')`
}

/** Keeps these, and tells which of them are still there, and which are to be cancelled. */
export function renewRuns(ids: string[]): Promise<{ id: string; isCancelled: boolean }[]> {
  return sql<{ id: string; isCancelled: boolean }>`
    UPDATE gateway_responses SET lease_expires_at = now() + ${leaseMs}::int * interval '1 millisecond'
    WHERE id = ANY(${ids}::text[]) AND node_id = ${nodeId()} AND status IN ('queued', 'in_progress')
    RETURNING id, cancelled AS "isCancelled"`
}

/** Leaves word for whoever writes it that it is to be cancelled. */
export async function requestCancel(id: string): Promise<void> {
  await sql`
    UPDATE gateway_responses SET cancelled = true WHERE id = ${id} AND status IN ('queued', 'in_progress')`
}

/** Forgets the events of responses that ended so long ago. */
export async function sweepEvents(keepMs: number): Promise<void> {
  await sql`
    WITH old AS (
      UPDATE gateway_responses SET lease_expires_at = NULL
      WHERE lease_expires_at < now() - ${keepMs}::int * interval '1 millisecond'
        AND status IN ('completed', 'incomplete', 'failed', 'cancelled') RETURNING id)
    DELETE FROM gateway_response_events e USING old WHERE e.response_id = old.id`
}
