import type { JsonObject } from '../../lib/gateway/translate/json'
import { type ResponseEvent, ResponseStream } from '../../lib/gateway/translate/stream'

const request = { model: 'asked', input: 'Hi', tools: [{ type: 'custom', name: 'patch' }] }
/** What the Responses of these tests answer. */
export const origin = { request, id: 'resp_1', createdAt: 1_700_000_000 }

export type Heard = { events: ResponseEvent[]; types: string[]; response: JsonObject; output: JsonObject[] }

/** Everything that comes of chunks, by the types of the events without `response.`. */
export function hear(chunks: JsonObject[], saidDone = false): Heard {
  const stream = new ResponseStream(origin)
  const events = [...chunks.flatMap((chunk) => stream.take(chunk)), ...stream.end(saidDone)]
  const types = events.map(({ type }) => type.replace('response.', ''))
  return { events, types, response: stream.response, output: stream.response.output as JsonObject[] }
}

/** A chunk with this delta. */
export const say = (delta: JsonObject, more: JsonObject = {}) => ({ choices: [{ index: 0, delta, ...more }] })
/** The chunk that says why the answer ends. */
export const finish = (reason: string) => say({}, { finish_reason: reason })
/** A chunk with a piece of a call. */
export const piece = (call: JsonObject) => say({ tool_calls: [call] })
/** All deltas of the events. */
export const deltas = (events: ResponseEvent[]) =>
  events.flatMap(({ delta }) => (delta === undefined ? [] : [delta]))
