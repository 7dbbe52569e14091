import { AppError } from '../errors'
import { releaseUse } from '../usage'
import { goesOn, rewrite } from './asked'
import { Asking } from './asking'
import type { Call } from './call'
import type { Answer } from './collected'
import { inputItemsOf } from './kept-items'
import { tellLimits } from './limits'
import { openBill } from './open-bills'
import type { Question } from './question'
import { originOf } from './response-wire'
import { streamRun } from './run-follow'
import { insertRun } from './run-rows'
import { runs } from './runs'
import type { Target } from './targets'
import { makeId } from './translate/json'
import { queueResponse } from './translate/stream'
import { findWire } from './wires'

type Opening = Omit<Call, 'signal'>

/** Whether a response is to be made here in the background, since whoever is asked has no such thing. */
export function runsHere(question: Question, targets: Target[]): boolean {
  return goesOn(question) && targets[0]?.key.provider !== 'openai'
}

/**
 * Begins a response in the background and tells that it is queued, or its events as they come; it goes on whoever
 * listens. Throws what the call itself is refused with: invalid_input, budget_exceeded, too_many_requests, unavailable.
 */
export async function openRun(opening: Opening, targets: Target[]): Promise<Answer & { served: Target }> {
  const own = targets.filter(({ key }) => key.provider !== 'openai')
  const [target] = own
  if (!target) throw new AppError('unavailable', 'No model server can be asked at present.')
  const { actor, question: asked } = opening
  if (asked.body.store === false) throw mustBeStored()
  const leave = runs().takePlace(actor.userId)
  try {
    const { start, reservation, response } = await begin(opening, own, target)
    const { id } = start.origin
    const answer = asked.isStream ? streamRun(actor, id, -1) : Response.json(response)
    tellLimits(answer.headers, reservation)
    // Last: from here on its place is the run's to give back.
    runs().open(start, leave)
    return { response: answer, isWhole: () => true, served: target, ...(asked.isStream && { runId: id }) }
  } catch (error) {
    leave()
    throw error
  }
}

/** Sets aside what it may cost and writes it down, with its first events. */
async function begin(opening: Opening, targets: Target[], target: Target) {
  const asked = opening.question
  const call = { ...opening, request: headOf(opening.request), question: queue(asked) }
  // What its server cannot be asked is refused now, and not later.
  findWire(call.question, target)
  const abort = new AbortController()
  const asking = new Asking({ ...call, signal: abort.signal })
  const reservation = await asking.prepare(target)
  try {
    const origin = originOf(call.question)
    const queued = queueResponse(origin)
    const events = queued.map((event) => ({
      seq: event.sequence_number,
      type: event.type,
      data: JSON.stringify(event),
    }))
    const response = { ...(queued[0]?.response as object) }
    const requestId = call.request.headers.get('x-request-id')
    const line = { ...call, ...target, status: null, retries: 0, reservation, requestId, cache: null }
    const { bill } = openBill(line, { startedAt: new Date(), firstTokenMs: null })
    const { previous_response_id: previous } = asked.body
    await insertRun(call, target, {
      id: origin.id,
      response,
      items: inputItemsOf(asked.body),
      previousId: typeof previous === 'string' ? previous : null,
      isStream: asked.isStream,
      bill,
      events,
    })
    return { start: { call, asking, abort, targets, origin, bill, events }, reservation, response }
  } catch (error) {
    if (reservation) await releaseUse(reservation)
    throw error
  }
}

/** The call under the name of its response; its server streams, so that nothing of what is said can be lost. */
function queue(asked: Question): Question {
  const queued = { id: makeId('resp'), createdAt: Math.floor(Date.now() / 1000) }
  return { ...asked, ...rewrite(asked, { stream: true }), isStream: true, queued }
}

/** What is needed of a request when it is over. */
function headOf({ url, headers }: Request): Request {
  return new Request(url, { headers: new Headers(headers) })
}

function mustBeStored(): AppError {
  const message = 'Background mode requires `store` to be true.'
  return new AppError('invalid_input', message, { issues: [{ path: 'background', message }] })
}
