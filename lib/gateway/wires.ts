import type { AppError } from '../errors'
import { type ForwardCall, type Forwarded, forwardCall } from '../providers'
import type { Asked, JsonObject } from './asked'
import { lastWordsOf } from './last-words'
import type { StreamMeter } from './meter'
import type { Target } from './targets'

/** How a target is spoken to, and how what it answers is told to the caller. */
export type Wire = {
  /** Below the key's base URL. */
  path: string
  bytes: Uint8Array
  open(call: ForwardCall): Promise<Forwarded>
  /** The end of a stream that broke, in the words of the call; null where none can be read any more. */
  lastWords(meter: StreamMeter, error: AppError): Uint8Array | null
  /** Absent: what the server says is what the caller gets. */
  translation?: Translation
}

/** From what a server says to what was asked for. */
type Translation = {
  /** A whole answer, from JSON to JSON. */
  whole(answer: JsonObject): JsonObject
  stream(): StreamTranslator
}

type StreamTranslator = {
  /** Bytes as they come, in any pieces; gives text of whole events. Throws AppError for what is no answer. */
  take(bytes: Uint8Array): string
  /** Nothing more comes. */
  end(): string
  fail(error: AppError): string
}

/** The way to ask this target. Throws invalid_input for what it cannot be asked. */
export function findWire(asked: Asked, _target: Target): Wire {
  return {
    path: asked.path,
    bytes: asked.bytes,
    open: forwardCall,
    lastWords: (meter, error) => lastWordsOf(asked.path, meter, error),
  }
}
