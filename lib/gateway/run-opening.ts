import { v7 as newId } from 'uuid'
import { AppError } from '../errors'
import { releaseUse } from '../usage'
import { goesOn, rewrite } from './asked'
import { Asking } from './asking'
import type { Call } from './call'
import type { Answer } from './collected'
import { inputItemsOf } from './kept-items'
import { billOf, estimateInput } from './ledger'
import { tellLimits } from './limits'
import type { Question } from './question'
import type { OpenBill } from './response-rows'
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
  const [target, ...others] = targets.filter(({ key }) => key.provider !== 'openai')
  if (!target) throw new AppError('unavailable', 'No model server can be asked at present.')
  const { actor, question: asked } = opening
  if (asked.body.store === false) throw mustBeStored()
  runs().requireRoom()
  const call = { ...opening, request: headOf(opening.request), question: queue(asked) }
  const { question } = call
  // What its server cannot be asked is refused now, and not later.
  findWire(question, target)
  const abort = new AbortController()
  const asking = new Asking({ ...call, signal: abort.signal })
  const reservation = await asking.prepare(target)
  const origin = originOf(question)
  const [created, ...rest] = queueResponse(origin)
  const events = [created, ...rest].flatMap((event) =>
    event ? [{ seq: event.sequence_number, type: event.type, data: JSON.stringify(event) }] : [],
  )
  const response = { ...(created?.response as object) }
  const bill = openBill(call, target, reservation)
  const isStream = asked.isStream
  try {
    const previous = asked.body.previous_response_id
    const previousId = typeof previous === 'string' ? previous : null
    const items = inputItemsOf(asked.body)
    await insertRun(call, target, { id: origin.id, response, items, previousId, isStream, bill, events })
  } catch (error) {
    if (reservation) await releaseUse(reservation)
    throw error
  }
  runs().open({ call, asking, abort, targets: [target, ...others], origin, bill, events })
  let isWhole = !isStream
  const answer = isStream
    ? streamRun(actor, origin.id, -1, () => {
        isWhole = true
      })
    : Response.json(response)
  tellLimits(answer.headers, reservation)
  return { response: answer, isWhole: () => isWhole, served: target }
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

function openBill(
  { actor, question, request }: Opening,
  { key, model }: Target,
  reservation: Awaited<ReturnType<Asking['prepare']>>,
): OpenBill {
  const startedAt = new Date()
  const requestId = request.headers.get('x-request-id')
  const line = { actor, question, key, model, status: null, retries: 0, reservation, requestId, cache: null }
  const bill = billOf(line)
  return {
    // Without a reservation, too, it is one row of the ledger, however often it is told.
    bill: { ...bill, reservation: bill.reservation ?? { id: newId(), openedAt: startedAt } },
    estimatedInput: estimateInput(question),
    startedAt: startedAt.toISOString(),
    firstTokenMs: null,
  }
}

function mustBeStored(): AppError {
  const message = 'Background mode requires `store` to be true.'
  return new AppError('invalid_input', message, { issues: [{ path: 'background', message }] })
}
