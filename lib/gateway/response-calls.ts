import type { Actor } from '../auth'
import { AppError } from '../errors'
import type { ResponseCall } from './call'
import { callKept } from './kept-calls'
import { findOwnRow, noResponse } from './response-rows'
import { callUpstream } from './upstream-calls'

const maxQueryLength = 2000

/**
 * Tells of a response, its input or its events, ends or deletes it, as whoever keeps it does. A stream after
 * `starting_after` is as the server sends it, and ends when the actor's session or key does. Throws not_found for a
 * stranger's response.
 */
export async function callResponse(actor: Actor, call: ResponseCall): Promise<Response> {
  const row = await findOwnRow(actor, call.id)
  if (row === null) throw noResponse(call.id)
  const { search } = new URL(call.request.url)
  if (search.length > maxQueryLength)
    throw new AppError('invalid_input', `The query is longer than ${maxQueryLength} characters.`)
  const isElsewhere = row.status === 'upstream' || row.status === 'pending'
  return isElsewhere ? callUpstream(actor, call, row) : callKept(actor, call, row)
}
