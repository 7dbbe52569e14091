import type { Actor } from '../auth'
import { AppError } from '../errors'
import type { ResponseCall } from './call'
import { findKept, type Kept, readChain } from './kept-rows'
import { deleteRow, noResponse } from './response-rows'
import type { JsonObject } from './translate/json'

const mostListed = 100
const usuallyListed = 20

/** Tells of a response that is kept here, its input, or deletes it, as OpenAI would. Throws not_found, invalid_input. */
export async function callKept(
  actor: Actor,
  { id, method, about, request }: ResponseCall,
): Promise<Response> {
  const kept = await findKept(actor, id)
  if (kept === null) throw noResponse(id)
  if (method === 'DELETE') {
    await deleteRow(id)
    return Response.json({ id, object: 'response', deleted: true })
  }
  if (about === '/cancel') throw refuse('Cannot cancel a synchronous response.', null)
  const { searchParams } = new URL(request.url)
  if (about === '/input_items') return Response.json(await listItems(actor, kept, searchParams))
  if (searchParams.get('stream') === 'true')
    throw refuse('Only background responses that were created with stream can be streamed.', 'stream')
  return Response.json(kept.response)
}

function refuse(message: string, path: string | null): AppError {
  return new AppError('invalid_input', message, path === null ? {} : { issues: [{ path, message }] })
}

/** A page of what was asked, the newest first unless `order=asc`. */
async function listItems(actor: Actor, kept: Kept, query: URLSearchParams): Promise<JsonObject> {
  const before = kept.previousId === null ? [] : await readChain(actor, kept.previousId)
  const items = [...before, ...kept.input]
  const ordered = query.get('order') === 'asc' ? items : items.reverse()
  const limit = readLimit(query.get('limit'))
  const after = query.get('after')
  const start = after === null ? 0 : ordered.findIndex(({ id }) => id === after) + 1
  if (after !== null && start === 0) throw refuse(`No such item: '${after.slice(0, 100)}'.`, 'after')
  const data = ordered.slice(start, start + limit)
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + limit < ordered.length,
  }
}

function readLimit(given: string | null): number {
  const limit = given === null ? usuallyListed : Number(given)
  if (Number.isInteger(limit) && limit >= 1 && limit <= mostListed) return limit
  throw refuse(`limit is a number from 1 to ${mostListed}.`, 'limit')
}
