import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from '../errors'
import type { ForwardCall, Forwarded } from '../providers'
import type { LentKey } from '../vault'
import type { JsonObject, ModelPath } from './asked'
import type { StreamMeter } from './meter'

/** How a target is spoken to, and how what it answers is told to the caller. */
export type Wire = {
  /** Below the key's base URL. */
  path: string
  bytes: Uint8Array
  open(call: ForwardCall): Promise<Forwarded>
  /** The end of a stream that broke, in the words of the call; null where none can be read, or a translation says it. */
  lastWords(meter: StreamMeter, error: AppError): Uint8Array | null
  /** What the server says against the call, in OpenAI's words. */
  toRefusal(status: number, body: unknown): { status: number; body: unknown }
  /** What of the answer's head is for the caller. */
  toHeaders(given: IncomingHttpHeaders): Headers
  /** Absent: what the server says is what the caller gets. */
  translation?: Translation
}

/** From what a server says to what was asked for; the meter is told what is read of the use. */
type Translation = {
  /** A whole answer, from JSON to JSON. */
  whole(answer: JsonObject, meter: StreamMeter): JsonObject
  stream(meter: StreamMeter): StreamTranslator
}

export type StreamTranslator = {
  /** Bytes as they come, in any pieces; gives text of whole events. Throws AppError for what is no answer. */
  take(bytes: Uint8Array): string
  /** Nothing more comes. */
  end(): string
  fail(error: AppError): string
}

/** A call that the server of this key does not know. */
export function refuseCall(path: ModelPath, { provider }: LentKey): AppError {
  const name = provider === 'anthropic' ? 'Anthropic' : provider
  const message = `${name} has nothing like /v1${path}. Name a model of another provider.`
  return new AppError('invalid_input', message, { issues: [{ path: 'model', message }] })
}
