import type { Actor } from '../auth'
import { requireRoom, sql } from '../db'
import { AppError } from '../errors'
import { log } from '../log'
import { remember } from '../remember'
import type { Asked } from './asked'
import type { Call } from './call'
import { noteKept } from './kept-quota'
import type { Target } from './targets'
import { asList, isObject, type JsonObject } from './translate/json'

/** A conversation of more links, or of more letters, is not looked up. */
const maxLinks = 200
const maxChainUnits = 8 * 1024 * 1024
const keptDays = 30
const sweepMs = 3_600_000

/** A response that is kept here: as it was told, and the items that were asked with. */
export type Kept = { response: JsonObject; input: JsonObject[]; previousId: string | null }

/** Keeps a response; the same one again changes nothing. Throws storage_full. */
export async function insertKeptRow(
  { actor, question }: Call,
  { key, model }: Target,
  { response, input, previousId }: Kept,
): Promise<void> {
  await requireRoom()
  const [body, items] = [JSON.stringify(response), JSON.stringify(input)]
  await sql`
    INSERT INTO gateway_responses
      (id, user_id, project_id, provider, source, credential_id, base_url, model, status, body, input, keys_of,
       previous_id)
    VALUES (${String(response.id)}, ${actor.userId}::uuid, ${actor.boundTo}::uuid, ${key.provider}, ${key.source},
      ${key.credentialId}::uuid, ${key.baseUrl}, ${model ?? 'unknown'}, ${String(response.status)},
      ${body}::json, ${items}::json, ${question.want.projectId ?? null}::uuid,
      ${previousId})
    ON CONFLICT (id) DO NOTHING`
  noteKept(actor.userId, body.length + items.length)
  sweepKept()
}

/** A response of the actor's that is kept here; null where it is kept elsewhere, or there is none. */
export async function findKept({ userId, boundTo }: Actor, id: string): Promise<Kept | null> {
  const [row] = await sql<{ response: JsonObject; items: unknown; previousId: string | null }>`
    SELECT body AS response, input AS items, previous_id AS "previousId" FROM gateway_responses
    WHERE id = ${id} AND body IS NOT NULL AND user_id = ${userId}::uuid
      AND (${boundTo}::uuid IS NULL OR project_id = ${boundTo}::uuid)`
  if (!row || !isObject(row.response)) return null
  return { response: row.response, input: asList(row.items).filter(isObject), previousId: row.previousId }
}

/**
 * What was asked and said up to a response and with it, the oldest first. Empty where that is kept elsewhere. Throws
 * invalid_input for a conversation that is too long.
 */
export async function readChain(actor: Actor, lastId: string): Promise<JsonObject[]> {
  const chain: JsonObject[][] = []
  let units = 0
  for (let id: string | null = lastId; id !== null; ) {
    const kept: Kept | null = await findKept(actor, id)
    if (kept === null && chain.length > 0) throw noPrevious(id)
    if (kept === null) break
    if (isUnfinished(kept)) throw unfinished(id)
    const items = [...kept.input, ...asList(kept.response.output).filter(isObject)]
    units += JSON.stringify(items).length
    if (chain.push(items) > maxLinks || units > maxChainUnits) throw tooLong()
    id = kept.previousId
  }
  return chain.reverse().flat()
}

/** A call with what was said before it, where it names an earlier response that is kept here. Throws invalid_input. */
export async function recall<T extends Asked>(actor: Actor, asked: T): Promise<T> {
  const previousId = asked.body.previous_response_id
  if (asked.path !== '/responses' || typeof previousId !== 'string') return asked
  return { ...asked, earlier: await readChain(actor, previousId) }
}

/** Something between was deleted: what is left would be told as if it were all. */
function noPrevious(id: string): AppError {
  const message = `Previous response with id '${id}' not found.`
  return new AppError('invalid_input', message, {
    issues: [{ path: 'previous_response_id', message }],
    facts: { code: 'previous_response_not_found' },
  })
}

function isUnfinished({ response }: Kept): boolean {
  return response.status === 'queued' || response.status === 'in_progress'
}

function unfinished(id: string): AppError {
  const message = `Previous response with id '${id}' has not ended yet.`
  return new AppError('invalid_input', message, { issues: [{ path: 'previous_response_id', message }] })
}

function tooLong(): AppError {
  const message = 'The conversation before this is too long. Send what matters of it in `input`.'
  return new AppError('invalid_input', message, { issues: [{ path: 'previous_response_id', message }] })
}

const sweeping = () => remember('gateway.kept.swept', () => ({ at: 0 }))

/** What is kept here is kept for 30 days, as at OpenAI; looked after once an hour at most. */
export function sweepKept(): void {
  if (Date.now() - sweeping().at < sweepMs) return
  sweeping().at = Date.now()
  sql`
    DELETE FROM gateway_responses WHERE created_at < now() - ${keptDays}::int * interval '1 day'`.catch(
    (err: unknown) => log().warn({ err }, 'old responses were not swept'),
  )
}
