import { type AppError, asAppError } from '../errors'
import { tellOpenAi } from '../http'
import { forwardCall } from '../providers'
import { type Asked, rewrite } from './asked'
import { type ChatReader, type ChatSource, chatSourceOf } from './chat-sources'
import type { Target } from './targets'
import { isObject } from './translate/json'
import { refuseCall, type StreamTranslator, type Wire } from './wire'

/** A chat with a server that has other words for it. Throws invalid_input for what it cannot be asked. */
export function openChatWire(asked: Asked, { key }: Target): Wire {
  if (asked.path !== '/chat/completions') throw refuseCall(asked.path, key)
  const options = asked.body.stream_options
  const wantsUsage = typeof options === 'object' && options !== null && 'include_usage' in options
  const source = chatSourceOf(key, wantsUsage && options.include_usage === true)
  return wireTo(source, asked)
}

function wireTo(source: ChatSource, asked: Asked): Wire {
  return {
    path: source.path,
    bytes: rewrite({ ...asked, body: {} }, source.toRequest(asked.body)).bytes,
    open: forwardCall,
    lastWords: () => null,
    toRefusal: source.toRefusal,
    toHeaders: source.toHeaders,
    translation: {
      whole: source.toCompletion,
      stream: (meter) => writeChat(source.openReader(meter)),
    },
  }
}

/** The chunks of a chat completion as OpenAI streams them. */
function writeChat(reader: ChatReader): StreamTranslator {
  const write = (chunks: object[]) => chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')
  return {
    take: (bytes) => write(reader.push(bytes)),
    end: () => `${write(reader.end())}data: [DONE]\n\n`,
    fail: (error) => write([{ error: tellFault(error) }]),
  }
}

type ToldFault = ReturnType<typeof tellOpenAi>['error']

/** What a stream ended with, in OpenAI's words: the server's own if it has any. */
export function tellFault(error: AppError): ToldFault {
  const { facts } = asAppError(error)
  const said = facts?.chatError
  return isObject(said) ? (said as ToldFault) : tellOpenAi(error).error
}
