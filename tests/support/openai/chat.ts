import { type ChatAnswer, completionDeltas, planChat, wholeChat } from './chat-shape.ts'
import { ChatStream } from './chat-stream.ts'
import { CompletionStream, planCompletion, wholeCompletion } from './completions.ts'
import { deltasBefore, endsInFailure } from './ends.ts'
import { badRequest, scriptedError } from './errors.ts'
import { beginStream, type Exchange } from './exchange.ts'
import { faultOf, follow } from './follow.ts'
import { type Frame, Production } from './production.ts'
import { sendWhole } from './whole.ts'
import { encodePretty } from './wire.ts'

type Source = { frames(): Iterable<Omit<Frame, 'before'>> }

/** Answers `POST /v1/chat/completions`. */
export async function createChat(exchange: Exchange): Promise<void> {
  const { body, script } = exchange
  if (!Array.isArray(body.messages)) throw missing('messages')
  if (body.messages.length === 0) {
    const message =
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead."
    throw badRequest(message, 'messages', 'empty_array')
  }
  const answer: ChatAnswer = planChat(body, script)
  const source = new ChatStream(body, script, answer)
  await deliver(exchange, source, answer.deltas, () => `${encodePretty(wholeChat(body, answer))}\n`)
}

/** Answers `POST /v1/completions`, the legacy call. */
export async function createCompletion(exchange: Exchange): Promise<void> {
  const { body, script } = exchange
  if (body.prompt === undefined) throw missing('prompt')
  const answer = planCompletion(body, script, completionDeltas(body, script))
  const source = new CompletionStream(body, script, answer)
  await deliver(exchange, source, answer.deltas, () => `${encodePretty(wholeCompletion(answer))}\n`)
}

const missing = (name: string) =>
  badRequest(`Missing required parameter: '${name}'.`, name, 'missing_required_parameter')

async function deliver(
  exchange: Exchange,
  source: Source,
  deltas: number,
  whole: () => string,
): Promise<void> {
  const { response, script, body } = exchange
  const production = new Production()
  response.once('close', () => production.stop())
  const running = production.run(source.frames(), script)
  if (body.stream === true) {
    beginStream(exchange)
    const fault = faultOf(script, deltasBefore(script, deltas))
    if (!(await follow(production, response, script, { from: 0, fault }))) production.stop()
    return running
  }
  await running
  if (!production.stopped) await deliverWhole(exchange, whole())
}

async function deliverWhole(exchange: Exchange, json: string): Promise<void> {
  const { failure } = exchange.script
  if (!endsInFailure(exchange.script)) return sendWhole(exchange, json)
  const error = failure === undefined ? 'server_error' : { status: 500, ...failure }
  throw scriptedError({ error }, exchange.key, '', exchange.path)
}
