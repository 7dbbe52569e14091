import { type Actor, watchAccess } from '../auth'
import { asAppError } from '../errors'
import { parseJson } from '../providers'
import type { LentKey } from '../vault'
import type { ResponseCall } from './call'
import { itemIdsOf } from './items'
import { askHolder, findMakersKey, passOn } from './keyholder'
import { readEnd, settleOpen } from './open-bills'
import { deleteRow, insertItemRows, noResponse, type ResponseRow } from './response-rows'
import { asObject, type JsonObject } from './translate/json'
import { hurryWatch } from './watch'
import { readWhole } from './whole-body'

/** A response of up to so many bytes is read before it is passed on, to see what it says of its end. */
const maxReadBytes = 8 * 1024 * 1024

/** Asks a response's own server, and passes on what that says. Throws not_found where its key is gone. */
export async function callUpstream(actor: Actor, call: ResponseCall, row: ResponseRow): Promise<Response> {
  const key = await findKey(actor, row)
  if (key === null) throw noResponse(row.id)
  const access = watchAccess(actor)
  const { method, about, request } = call
  const signal = AbortSignal.any([request.signal, access.lost])
  let isStream = false
  try {
    if (method === 'DELETE' && row.status === 'pending') await endFirst(key, row, signal)
    const path = `${addressOf(row)}${about}${new URL(request.url).search}`
    const over = () => {
      access.release()
      // Whoever follows it to its end need not wait for the next look.
      if (row.status === 'pending' && isStream) void hurryWatch(row.id)
    }
    const response = await passOn({ key, method, path, request, signal, over })
    isStream = /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')
    if (method === 'DELETE') return await forget(row, response)
    return isStream || !row.background || about === '/input_items' ? response : await learn(row, response)
  } catch (error) {
    access.release()
    throw error
  }
}

const addressOf = ({ id }: ResponseRow) => `/responses/${encodeURIComponent(id)}`

async function findKey(actor: Actor, row: ResponseRow): Promise<LentKey | null> {
  try {
    return await findMakersKey(actor, row)
  } catch (error) {
    // The project that lent the key is not shared with the actor any more, or there is no key at all.
    if (['not_found', 'provider_auth'].includes(asAppError(error).code)) return null
    throw error
  }
}

/** What is deleted can be asked nothing any more, and must not go on costing: it is ended before, and written down. */
async function endFirst(key: LentKey, row: ResponseRow, signal: AbortSignal): Promise<void> {
  const address = addressOf(row)
  const before = await askHolder({ key, method: 'GET', path: address, signal })
  if (before.status === 200 && (await noteEnd(row, asObject(parseJson(before.text))))) return
  const ended = await askHolder({ key, method: 'POST', path: `${address}/cancel`, signal })
  if (ended.status === 200) await noteEnd(row, asObject(parseJson(ended.text)))
}

async function forget(row: ResponseRow, response: Response): Promise<Response> {
  if (!response.ok && response.status !== 404) return response
  const isSettled = await settleOpen(row.id, { usage: null, outcome: 'stopped' })
  if (isSettled) await deleteRow(row.id)
  return response
}

/** A response in the background, as it passes: the names of its items are known, and its use where it has ended. */
async function learn(row: ResponseRow, response: Response): Promise<Response> {
  const { status, headers } = response
  if (status !== 200 || !response.body) return response
  const { bytes, rest } = await readWhole(response.body, maxReadBytes)
  if (rest !== null) return new Response(rest, { status, headers })
  const said = asObject(parseJson(Buffer.from(bytes).toString('utf8')))
  await insertItemRows(row.id, itemIdsOf(said), row)
  await noteEnd(row, said)
  return new Response(bytes, { status, headers })
}

async function noteEnd(row: ResponseRow, said: JsonObject): Promise<boolean> {
  const end = readEnd(said)
  if (end === null) return false
  return row.status === 'pending' ? settleOpen(row.id, end) : true
}
