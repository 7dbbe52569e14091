import type { Actor } from '../auth'
import { AppError } from '../errors'
import type { ResponseCall } from './call'
import { findKept, type Kept, readChain } from './kept-rows'
import { deleteRow, noResponse, type ResponseRow } from './response-rows'
import { requireEvents, streamRun } from './run-follow'
import { runs } from './runs'
import type { JsonObject } from './translate/json'

const mostListed = 100
const usuallyListed = 20

/**
 * Tells of a response that is kept here, its input or its events, ends or deletes it, as OpenAI would. Throws not_found,
 * invalid_input.
 */
export async function callKept(actor: Actor, call: ResponseCall, row: ResponseRow): Promise<Response> {
  const { id, method, about, request } = call
  if (method === 'DELETE') return forget(row)
  if (about === '/cancel') return cancel(actor, row)
  const { searchParams } = new URL(request.url)
  if (about === '' && searchParams.get('stream') === 'true') return streamAgain(actor, row, searchParams)
  const kept = await getKept(actor, id)
  if (about === '/input_items') return Response.json(await listItems(actor, kept, searchParams))
  return Response.json(kept.response)
}

async function getKept(actor: Actor, id: string): Promise<Kept> {
  const kept = await findKept(actor, id)
  if (kept === null) throw noResponse(id)
  return kept
}

/** Ended first: what it used is written down by whoever makes it. */
async function forget(row: ResponseRow): Promise<Response> {
  const { id } = row
  if (isUnderWay(row)) await runs().cancel(id)
  await deleteRow(id)
  return Response.json({ id, object: 'response', deleted: true })
}

/** Again is no harm: what has ended is told as it is. */
async function cancel(actor: Actor, row: ResponseRow): Promise<Response> {
  const { id, background } = row
  if (!background) throw refuse('Cannot cancel a synchronous response.', null)
  if (isUnderWay(row)) await runs().cancel(id)
  return Response.json((await getKept(actor, id)).response)
}

function isUnderWay({ status }: ResponseRow): boolean {
  return status === 'queued' || status === 'in_progress'
}

async function streamAgain(actor: Actor, row: ResponseRow, query: URLSearchParams): Promise<Response> {
  if (!row.background || !row.isStream)
    throw refuse('Only background responses that were created with stream can be streamed.', 'stream')
  const given = query.get('starting_after')
  if (given !== null && !/^\d{1,9}$/.test(given))
    throw refuse('starting_after is the number of an event.', 'starting_after')
  await requireEvents(row.id)
  return streamRun(actor, row.id, given === null ? -1 : Number(given))
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
