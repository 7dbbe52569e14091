import type { IncomingHttpHeaders } from 'node:http'
import type { AppError } from '../errors'
import { readUsage } from '../providers'
import type { LentKey } from '../vault'
import { toChatCompletion } from './anthropic/completion'
import { toChatRefusal } from './anthropic/errors'
import { toChatHeaders } from './anthropic/headers'
import { toMessagesRequest } from './anthropic/request'
import { ChatChunks } from './anthropic/stream'
import type { JsonObject } from './asked'
import { passHeaders } from './headers'
import type { StreamMeter } from './meter'
import { ChatEvents } from './translate/chat-events'

/** Takes the bytes of a stream, cut anywhere; gives the chunks of a chat completion. */
export type ChatReader = {
  /** Throws AppError for what is no answer, once what came before it was given. */
  push(bytes: Uint8Array): JsonObject[]
  end(): JsonObject[]
  /** Whether the server said that its answer is whole. */
  isDone(): boolean
}

/** A server that answers chats, in whatever words. */
export type ChatSource = {
  /** Below the key's base URL. */
  path: string
  /** A chat as this server is asked it. Throws invalid_input for what it cannot be asked. */
  toRequest(chat: JsonObject): JsonObject
  /** A whole answer as a chat completion. */
  toCompletion(answer: JsonObject, meter: StreamMeter): JsonObject
  openReader(meter: StreamMeter): ChatReader
  /** What it says against a call, in OpenAI's words. */
  toRefusal(status: number, body: unknown): { status: number; body: unknown }
  toHeaders(given: IncomingHttpHeaders): Headers
}

/** How the server of this key is asked a chat; `wantsUsage`: the caller asked a stream to tell its use. */
export function chatSourceOf(key: LentKey, wantsUsage: boolean): ChatSource {
  return key.provider === 'anthropic' ? anthropic(key, wantsUsage) : compatible
}

const compatible: ChatSource = {
  path: '/chat/completions',
  toRequest: (chat) => chat,
  toCompletion: (answer) => answer,
  openReader: () => {
    const events = new ChatEvents()
    return {
      push: (bytes) => events.push(bytes),
      end: () => events.end(),
      isDone: () => events.isDone,
    }
  },
  toRefusal: (status, body) => ({ status, body }),
  toHeaders: passHeaders,
}

function anthropic(key: LentKey, wantsUsage: boolean): ChatSource {
  return {
    path: '/messages',
    toRequest: toMessagesRequest,
    toCompletion: (answer, meter) => {
      const completion = toChatCompletion(answer)
      tellUse(meter, completion.usage, true)
      return completion
    },
    openReader: (meter) => readMessages(key, wantsUsage, meter),
    toRefusal: (status, body) => {
      const refusal = toChatRefusal(key, status, body)
      return { status: refusal.status, body: { error: refusal.error } }
    },
    toHeaders: toChatHeaders,
  }
}

function readMessages(key: LentKey, includeUsage: boolean, meter: StreamMeter): ChatReader {
  const chunks = new ChatChunks({ key, includeUsage })
  let failure: AppError | null = null
  const give = (made: JsonObject[]) => {
    // A message tells a use at its beginning, too, before anything is said.
    tellUse(meter, chunks.usage, chunks.isOver)
    if (failure !== null) throw failure
    failure = chunks.failure
    if (failure !== null && made.length === 0) throw failure
    return made
  }
  return {
    push: (bytes) => give(chunks.push(bytes)),
    end: () => give(chunks.end()),
    isDone: () => chunks.isOver,
  }
}

function tellUse(meter: StreamMeter, usage: unknown, isFinal: boolean): void {
  const told = readUsage({ usage })
  if (told !== null) meter.tell(told, { isFinal })
}
