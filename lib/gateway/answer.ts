import { watchAccess } from '../auth'
import type { TokenUsage } from '../contracts/conversations'
import { findCost } from '../usage'
import { goesOn } from './asked'
import { Asking, type Outcome, type Trial } from './asking'
import type { Call } from './call'
import type { Answer } from './collected'
import type { Exchange } from './exchange'
import { keepingOf, keepNothing } from './keeping'
import type { Keeping } from './kept'
import { openLeaving } from './leaving'
import { type Line, settle, wasSent } from './ledger'
import { tellLimits } from './limits'
import { StreamMeter } from './meter'
import { requireOwnNames } from './named'
import { modelFor } from './reserve'
import { openRun, runsHere } from './run-opening'
import { listTargets, type Target } from './targets'
import { translateStream, translateWhole } from './translation'
import { readWhole } from './whole-body'

/** An answer, and who gave it. */
export type ServedAnswer = Answer & { served: Target }

/** A whole answer of up to so many bytes is read before it is passed on, so that its head can tell what it cost. */
const maxReadBytes = 8 * 1024 * 1024

/**
 * Asks whoever serves the call and gives back the answer: streams as they come, byte for byte, errors without a word
 * about the key that was used. Writes down what it cost, however it ends; it ends, too, when the actor's session or key
 * does. Throws invalid_input, provider_auth if no key serves, provider_failed, provider_timeout, unavailable,
 * budget_exceeded, too_many_requests.
 */
export async function answerCall(asked: Omit<Call, 'signal'>, cache: Line['cache']): Promise<ServedAnswer> {
  const { actor, request, question } = asked
  const targets = await requireOwnNames(actor, question, await listTargets(actor, question))
  if (runsHere(question, targets)) return openRun(asked, targets)
  const access = watchAccess(actor)
  const leaving = openLeaving([request.signal, access.lost], goesOn(question))
  const call: Call = { ...asked, signal: leaving.signal }
  const clock = new StreamMeter()
  try {
    const outcome = await new Asking(call).run(targets)
    const line = lineOf(call, outcome, cache)
    const { trial } = outcome
    if (trial.kind === 'failure' || trial.kind === 'left') giveUp(line, clock, trial)
    const { exchange } = trial
    line.status = exchange.answer.status
    const keeping = trial.kind === 'answer' ? keepingOf(call, exchange, line) : keepNothing(exchange, line)
    void keeping.named.then(leaving.allow)
    void exchange.ended.then((how) => keeping.settle(how)).finally(access.release)
    const response =
      trial.kind === 'refusal'
        ? refuse(exchange, trial)
        : await respond(call, exchange, { ...outcome, keeping })
    return { response, isWhole: () => exchange.how() === 'whole', served: exchange.target }
  } catch (error) {
    access.release()
    throw error
  }
}

function lineOf({ actor, question, request }: Call, outcome: Outcome, cache: Line['cache']): Line {
  const { trial, retries, reservation } = outcome
  const { key, model } = 'exchange' in trial ? trial.exchange.target : trial.target
  const requestId = request.headers.get('x-request-id')
  return { actor, question, key, model, status: null, retries, reservation, requestId, cache }
}

/** Whoever asked need not wait until it is written down. */
function giveUp(line: Line, clock: StreamMeter, trial: Extract<Trial, { kind: 'failure' | 'left' }>): never {
  const isSent = trial.kind === 'left' ? trial.isSent : wasSent(trial.error)
  void settle({ ...line, isSent }, clock, trial.kind === 'left' ? 'left' : 'broken')
  throw trial.error
}

function refuse({ answer, wire }: Exchange, { refusal }: Extract<Trial, { kind: 'refusal' }>): Response {
  const headers = wire.toHeaders(answer.headers)
  headers.set('content-type', 'application/json')
  // Numbers that are no status of HTTP are a fault of the server's.
  const status = refusal.status <= 599 ? refusal.status : 502
  return Response.json({ error: refusal.error }, { status, headers })
}

async function respond(
  call: Call,
  exchange: Exchange,
  { reservation, keeping }: Outcome & { keeping: Keeping },
): Promise<Response> {
  const { answer, meter, target, wire } = exchange
  const { status } = answer
  const headers = wire.toHeaders(answer.headers)
  tellLimits(headers, reservation)
  if (/^text\/event-stream\b/i.test(answer.headers['content-type'] ?? '')) {
    const body = keeping.keepStream(translateStream(exchange))
    return new Response(body, { status, headers })
  }
  const { bytes, rest } = await readWhole(answer.body, maxReadBytes)
  if (rest !== null) return new Response(keeping.keepStream(rest), { status, headers })
  const said = translateWhole(exchange, bytes)
  await keeping.keepWhole(said)
  const usage = meter.usage()
  const { provider } = target.key
  const cost =
    usage && (await findCost(provider, modelFor(call.question.path, target.model), toTokens(usage)))
  if (cost !== null) headers.set('x-al-cost-usd', trimZeros(cost))
  return new Response(hasNoBody.has(status) ? null : said, { status, headers })
}

function toTokens({ input_tokens, cached_tokens = 0, cache_write_tokens, output_tokens }: TokenUsage) {
  return {
    inputTokens: input_tokens,
    cachedTokens: cached_tokens,
    cacheWriteTokens: cache_write_tokens ?? null,
    outputTokens: output_tokens,
  }
}

/** With these statuses a body is against the rules of HTTP. */
const hasNoBody = new Set([204, 205, 304])

/** `0.001200000000` is `0.0012`. */
function trimZeros(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal
}
