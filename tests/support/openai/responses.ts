import { deltasBefore } from './ends.ts'
import { badRequest, notFound, scriptedError } from './errors.ts'
import { beginStream, type Exchange } from './exchange.ts'
import { faultOf, follow } from './follow.ts'
import { snapshotOf } from './models.ts'
import { paginate } from './page.ts'
import { Production } from './production.ts'
import { beginResponse } from './response-object.ts'
import { ResponseStream } from './response-stream.ts'
import type { Store, StoredResponse } from './store.ts'
import type { Body } from './types.ts'
import { sendWhole } from './whole.ts'
import { encodeAscii, encodePretty, makeId } from './wire.ts'

/** Answers `POST /v1/responses`: whole, streamed, or in the background. */
export async function createResponse(exchange: Exchange, store: Store): Promise<void> {
  checkRequest(exchange.body)
  const previous = findPrevious(exchange.body, store)
  const stored = beginStored(exchange, previous)
  if (exchange.body.background === true) return answerInBackground(exchange, stored, store)
  const running = stored.production.run(stored.stream.frames(), exchange.script)
  exchange.response.once('close', () => stored.production.stop())
  if (exchange.body.stream === true) await sendStream(exchange, stored)
  await running
  if (stored.production.stopped) return
  stored.production.frames.length = 0
  if (exchange.body.store !== false) store.keepResponse(idOf(stored), stored)
  if (exchange.body.stream !== true) await sendResponse(exchange, stored)
}

function checkRequest(body: Body): void {
  const { max_output_tokens: most, background, store } = body
  if (typeof most === 'number' && most < 16) {
    const message = `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got ${most} instead.`
    throw badRequest(message, 'max_output_tokens', 'integer_below_min_value')
  }
  if (background === true && store === false) {
    throw badRequest('Background mode requires `store` to be true.', 'background')
  }
}

/** The Response that a request goes on from; none is named, or it is there. */
export function findPrevious(body: Body, store: Store): StoredResponse | undefined {
  const id = body.previous_response_id
  if (typeof id !== 'string') return undefined
  const previous = store.responses.get(id)
  if (previous !== undefined) return previous
  const message = `Previous response with id '${id}' not found.`
  throw badRequest(message, 'previous_response_id', 'previous_response_not_found')
}

function beginStored({ body, script }: Exchange, previous?: StoredResponse): StoredResponse {
  const begun = beginResponse(makeId('resp'), snapshotOf(String(body.model)), body)
  const stream = new ResponseStream(begun, body, script)
  return { stream, production: new Production(), request: body, input: inputItems(body), previous }
}

/** The input as `input_items` lists it. */
export function inputItems(body: Body): Body[] {
  const turns: Body[] = Array.isArray(body.input) ? body.input : [{ role: 'user', content: body.input ?? '' }]
  return turns.map((turn) => {
    if (turn.role === undefined) return { id: makeId('in'), ...turn }
    const type = turn.role === 'assistant' ? 'output_text' : 'input_text'
    const content = typeof turn.content === 'string' ? [{ type, text: turn.content }] : turn.content
    return { id: makeId('msg'), type: 'message', status: 'completed', content, role: turn.role }
  })
}

const idOf = (stored: StoredResponse): string => String(stored.stream.body.id)

/** Sends the stream of a Response that began with this request; it dies with its connection. */
async function sendStream(exchange: Exchange, stored: StoredResponse): Promise<void> {
  beginStream(exchange)
  const fault = faultOf(exchange.script, deltasBefore(exchange.script, stored.stream.deltaCount))
  const whole = await follow(stored.production, exchange.response, exchange.script, { from: 0, fault })
  if (!whole) stored.production.stop()
}

async function sendResponse(exchange: Exchange, stored: StoredResponse): Promise<void> {
  const { end = 'completed', failure } = exchange.script
  if (end !== 'error_nested' && end !== 'error_flat') return sendWhole(exchange, wholeJson(stored))
  const error = failure === undefined ? 'server_error' : { status: 500, ...failure }
  throw scriptedError({ error }, exchange.key, '', exchange.path)
}

/** A Response as a body of its own: with `billing`, in ASCII. */
function wholeJson({ stream }: StoredResponse): string {
  const entries = Object.entries(stream.body)
  const at = entries.findIndex(([key]) => key === 'completed_at')
  entries.splice(at, 0, ['billing', { payer: 'developer' }])
  return encodeAscii(Object.fromEntries(entries))
}

async function answerInBackground(exchange: Exchange, stored: StoredResponse, store: Store): Promise<void> {
  store.keepResponse(idOf(stored), stored)
  const { script } = exchange
  const queued = { ...stored.stream.body, status: 'queued' }
  void stored.production.run(stored.stream.frames(), script)
  if (exchange.body.stream !== true) return sendWhole(exchange, encodeAscii(queued))
  beginStream(exchange)
  const fault = faultOf(script, deltasBefore(script, stored.stream.deltaCount))
  await follow(stored.production, exchange.response, script, { from: 0, fault })
}

function findStored(id: string, store: Store): StoredResponse {
  const stored = store.responses.get(id)
  if (stored === undefined) throw notFound(`Response with id '${id}' not found.`)
  return stored
}

/** Answers `GET /v1/responses/{id}`, whole or, while it is in the background, its stream after a sequence number. */
export async function retrieveResponse(exchange: Exchange, store: Store, id: string): Promise<void> {
  const stored = findStored(id, store)
  if (exchange.query.get('stream') !== 'true') return sendWhole(exchange, wholeJson(stored))
  if (stored.request.background !== true || stored.request.stream !== true) {
    throw badRequest('Only background responses that were created with stream can be streamed.', 'stream')
  }
  const after = Number(exchange.query.get('starting_after') ?? -1)
  beginStream(exchange)
  const fault = faultOf(exchange.script, deltasBefore(exchange.script, stored.stream.deltaCount))
  await follow(stored.production, exchange.response, exchange.script, { from: after + 1, fault })
}

/** Answers `DELETE /v1/responses/{id}`. */
export function deleteResponse(_exchange: Exchange, store: Store, id: string): string {
  findStored(id, store).production.stop()
  store.responses.delete(id)
  return encodePretty({ id, object: 'response', deleted: true })
}

/** Answers `POST /v1/responses/{id}/cancel`; only what runs in the background can be cancelled. */
export function cancelResponse(_exchange: Exchange, store: Store, id: string): string {
  const stored = findStored(id, store)
  if (stored.request.background !== true) {
    throw badRequest('Cannot cancel a synchronous response.', null)
  }
  if (!stored.production.finished) {
    stored.production.stop()
    stored.stream.cancel()
  }
  return wholeJson(stored)
}

/** Answers `GET /v1/responses/{id}/input_items`, a page, newest first unless `order=asc`. */
export function listInputItems(exchange: Exchange, store: Store, id: string): string {
  const items = contextOf(findStored(id, store))
  return encodePretty(paginate(exchange.query, items))
}

function contextOf(stored: StoredResponse): Body[] {
  const { previous } = stored
  if (previous === undefined) return stored.input
  return [...contextOf(previous), ...(previous.stream.body.output as Body[]), ...stored.input]
}
