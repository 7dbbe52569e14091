import { type Actor, watchAccess } from '../auth'
import { sql } from '../db'
import { AppError } from '../errors'
import { findMakersKey, type Maker, passOn } from './keyholder'

type ResponseRow = Maker & { id: string; status: string }

/** What can be asked of a response that was made before. */
export type ResponseCall = {
  method: 'GET' | 'DELETE' | 'POST'
  id: string
  /** Behind its address: nothing, `/cancel` or `/input_items`. */
  about: '' | '/cancel' | '/input_items'
  request: Request
}

const maxQueryLength = 2000

/**
 * Tells of a response, its input or its events, ends or deletes it, as whoever made it keeps it. A stream after
 * `starting_after` is as the server sends it. Throws not_found for a stranger's response.
 */
export async function callResponse(actor: Actor, call: ResponseCall): Promise<Response> {
  const { method, id, about, request } = call
  const row = await getOwn(actor, id)
  const key = await findMakersKey(actor, row)
  if (key === null) throw noResponse(id)
  const access = watchAccess(actor)
  try {
    const signal = AbortSignal.any([request.signal, access.lost])
    const { search } = new URL(request.url)
    if (search.length > maxQueryLength)
      throw new AppError('invalid_input', `The query is longer than ${maxQueryLength} characters.`)
    const path = `/responses/${encodeURIComponent(id)}${about}${search}`
    const response = await passOn({ key, method, path, request, signal })
    const isGone = method === 'DELETE' && (response.ok || response.status === 404)
    if (isGone) await sql`DELETE FROM gateway_responses WHERE id = ${id}`
    return response
  } finally {
    // A stream of events is short-lived enough to end by itself; a revoked key is refused at its next call.
    access.release()
  }
}

async function getOwn({ userId, boundTo }: Actor, id: string): Promise<ResponseRow> {
  const [row] = await sql<ResponseRow>`
    SELECT id, project_id AS "projectId", provider, source, credential_id AS "credentialId", base_url AS "baseUrl",
      status
    FROM gateway_responses
    WHERE id = ${id} AND user_id = ${userId}::uuid AND (${boundTo}::uuid IS NULL OR project_id = ${boundTo}::uuid)`
  if (!row) throw noResponse(id)
  return row
}

function noResponse(id: string): AppError {
  return new AppError('not_found', `Response with id '${id}' not found.`, { facts: { code: null } })
}
