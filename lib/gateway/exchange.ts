import { env } from '../env'
import type { Forwarded } from '../providers'
import type { Reservation } from '../usage'
import { type LentKey, lendKey } from '../vault'
import { type Asked, type JsonObject, type ModelPath, rewrite } from './asked'
import { limitOutput, mostToolRuns } from './bounds'
import type { Call } from './call'
import { FaultWords } from './fault-words'
import { passRequestHeaders } from './headers'
import { StreamMeter } from './meter'
import type { Question } from './question'
import type { Target } from './targets'
import { UsageFilter } from './usage-filter'
import type { Wire } from './wire'
import { findWire } from './wires'

/** How an answer ended: the server said all, the reader went away, or the server did. */
export type How = 'whole' | 'left' | 'broken'

/** One question to one model server, and what comes of it. */
export type Exchange = {
  target: Target
  wire: Wire
  meter: StreamMeter
  /** Once the answer is over, however it ended; `how` tells at that moment. */
  ended: Promise<How>
  how: () => How | null
  answer: Forwarded
}

/** A question on its way to a target; a stream of one with a reservation has to tell what it used. */
type Sending = Call & { target: Target; reservation: Reservation | null }

/**
 * Sends a question and gives back the beginning of its answer, whatever its status. Throws provider_failed,
 * provider_timeout or provider_auth where none begins, and the signal's reason once it has fired.
 */
export async function openExchange(sending: Sending): Promise<Exchange> {
  const { request, target, signal } = sending
  const { key } = target
  const hidesUsage = sending.reservation !== null && saysNoUsage(sending.question, key)
  const wire = findWire(readyFor(sending, hidesUsage), target)
  const { question } = sending
  const tellsRuns = key.provider === 'openai' && question.path === '/responses' && question.isStream
  const meter = new StreamMeter({ runsTools: tellsRuns && mostToolRuns(question.body) > 0 })
  const ended = Promise.withResolvers<How>()
  let ending: How | null = null
  const answer = await lendKey(key, () =>
    wire.open({
      key,
      method: 'POST',
      path: wire.path,
      headers: passRequestHeaders(request),
      body: wire.bytes,
      timeouts: env().PROVIDER_TIMEOUTS,
      signal,
      tap: {
        chunk: (bytes) => meter.chunk(bytes),
        over: (how) => {
          ending = how
          ended.resolve(how)
        },
        lastWords: (error) => wire.lastWords(meter, error),
        // A translation takes the faults of servers apart by itself.
        ...(!wire.translation && { hiding: (isStream) => new FaultWords(key, isStream) }),
      },
    }),
  )
  const isTalk = answer.status === 200 && isOfEvents(answer) && talks.has(question.path)
  // A short answer may be over by now, so this is looked at when somebody asks.
  const judge = (how: How): How => (how === 'whole' && isTalk && !meter.hasSaidAll ? 'broken' : how)
  const isFiltered = hidesUsage && answer.status === 200 && !wire.translation
  const body = isFiltered ? new UsageFilter().filter(answer.body) : answer.body
  return {
    target,
    wire,
    meter,
    ended: ended.promise.then(judge),
    how: () => ending && judge(ending),
    answer: { ...answer, body },
  }
}

/** Streams of these say how they end. */
const talks = new Set<ModelPath>(['/chat/completions', '/completions', '/responses'])

function isOfEvents({ headers }: Forwarded): boolean {
  return /^text\/event-stream\b/i.test(headers['content-type'] ?? '')
}

/** The question as it goes out to this target. */
function readyFor({ actor, question, target, reservation }: Sending, hidesUsage: boolean): Asked {
  const { path } = question
  const { key, model } = target
  // What is counted by the minute alone needs no bound.
  const isBounded = reservation !== null && (actor.policy?.budgetUsd ?? null) !== null
  const body = isBounded
    ? limitOutput(path, question.body, reservation.outputTokens, {
        provider: key.provider,
        model: model ?? '',
      })
    : question.body
  const options = typeof body.stream_options === 'object' ? body.stream_options : {}
  const changes: JsonObject = {
    ...(model !== question.model && { model }),
    ...(hidesUsage && { stream_options: { ...options, include_usage: true } }),
  }
  const isAsItCame = body === question.body && Object.keys(changes).length === 0
  return isAsItCame ? question : rewrite({ ...question, body }, changes)
}

/** Streams of chat and text completions tell their use only to those who ask for it; Anthropic's always do. */
function saysNoUsage({ path, isStream, body }: Question, { provider }: LentKey): boolean {
  if (!isStream || provider === 'anthropic' || (path !== '/chat/completions' && path !== '/completions'))
    return false
  const options = body.stream_options
  return !(
    typeof options === 'object' &&
    options !== null &&
    'include_usage' in options &&
    options.include_usage === true
  )
}
