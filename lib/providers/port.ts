import type { TokenUsage } from '../contracts/conversations'

/** A key as the vault lends it, for one call to one host. Without `apiKey` the server asks for none. */
export type ModelKey = {
  provider: 'openai' | 'openai-compatible' | 'demo'
  apiKey: string | null
  /** With the version in it and no slash at the end, such as `https://api.openai.com/v1`. */
  baseUrl: string
  last4: string | null
}

export type ModelMessage = { role: 'user' | 'assistant'; text: string }

/** How long each part of a call may take, in milliseconds; `idleMs` is the longest silence in mid-answer. */
export type ProviderTimeouts = { connectMs: number; firstByteMs: number; idleMs: number; totalMs: number }

/** One question to a model; what is null is left to the provider. */
export type ModelCall = {
  key: ModelKey
  model: string
  instructions: string
  messages: ModelMessage[]
  temperature: number | null
  maxOutputTokens: number | null
  reasoningEffort: string | null
  timeouts: ProviderTimeouts
  /** Ends the call at once: the connection is closed and the iteration throws the signal's reason. */
  signal: AbortSignal
}

/** Why the model ended its answer. */
export type Finish = 'stop' | 'length' | 'refusal' | 'content_filter' | 'tool'

/** What a model says. Text comes in pieces of any size; `done` is the last, and the only sign of success. */
export type ModelEvent =
  | { type: 'text'; text: string }
  | { type: 'reasoning'; text: string }
  | { type: 'done'; usage: TokenUsage | null; finish: Finish }

/** Where a reader of a wire format puts what it has understood. */
export type AnswerSink = {
  text(piece: string): void
  reasoning(piece: string): void
  done(usage: TokenUsage | null, finish: Finish): void
}

/** Understands the events of one answer, one after the other; throws AppError where the answer is an error. */
export type AnswerReader = {
  read(data: string): void
  /** The body is over, in whatever way. True if the answer was whole. */
  end(): boolean
}

/** One way of talking to a model server. */
export type Dialect = {
  path: string
  requestBody(call: ModelCall): Record<string, unknown>
  openReader(call: ModelCall, sink: AnswerSink): AnswerReader
}
