import type { AppError } from '../errors'
import { forwardCall } from '../providers'
import type { LentKey } from '../vault'
import { type Asked, type JsonObject, rewrite } from './asked'
import { type ChatReader, type ChatSource, chatSourceOf } from './chat-sources'
import { tellFault } from './chat-wire'
import { openDemo } from './demo'
import type { StreamMeter } from './meter'
import { tellRefusal } from './refusal'
import type { Target } from './targets'
import { makeId } from './translate/json'
import { toChatRequest } from './translate/request'
import { toResponse } from './translate/response'
import type { ResponseOrigin } from './translate/response-object'
import { ResponseStream, writeResponseEvent } from './translate/stream'
import type { StreamTranslator, Wire } from './wire'

/**
 * A call for a Response to a server that has only chats: it is asked one, and what it says is told as a Response. Throws
 * invalid_input for what no chat can do.
 */
export function openResponseWire(asked: Asked, { key }: Target): Wire {
  const source = chatSourceOf(key, true)
  const { earlier = [] } = asked
  const named = new Map(
    earlier.flatMap((item) => (typeof item.id === 'string' ? [[item.id, item] as const] : [])),
  )
  const chat = toChatRequest(asked.body, earlier, named)
  const origin = originOf(asked)
  return {
    path: source.path,
    bytes: rewrite({ ...asked, body: {} }, source.toRequest(chat)).bytes,
    open: key.provider === 'demo' ? openDemo : forwardCall,
    lastWords: () => null,
    toRefusal: source.toRefusal,
    toHeaders: source.toHeaders,
    translation: {
      whole: (answer, meter) => toResponse(source.toCompletion(answer, meter), origin),
      stream: (meter) => writeResponse({ source, key, origin }, meter),
    },
  }
}

/** A response in the background was given its name before anybody was asked. */
export function originOf({ body, queued }: Asked): ResponseOrigin {
  if (queued) return { request: body, ...queued, isQueued: true }
  return { request: body, id: makeId('resp'), createdAt: Math.floor(Date.now() / 1000) }
}

type Writing = { source: ChatSource; key: LentKey; origin: ResponseOrigin }

/** The chunks of a chat as the events of a Response. */
function writeResponse({ source, key, origin }: Writing, meter: StreamMeter): StreamTranslator {
  const stream = new ResponseStream(origin, (said) => tellRefusal(key, 500, said))
  const reader: ChatReader = source.openReader(meter)
  const write = (events: (JsonObject & { type: string; sequence_number: number })[]) =>
    events.map(writeResponseEvent).join('')
  const takeAll = (chunks: JsonObject[]) => chunks.map((chunk) => write(stream.take(chunk))).join('')
  return {
    take: (bytes) => takeAll(reader.push(bytes)),
    end: () => takeAll(reader.end()) + write(stream.end(reader.isDone())),
    fail: (error: AppError) => write(stream.fail(tellFault(error))),
  }
}
