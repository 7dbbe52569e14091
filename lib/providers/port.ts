import type { TokenUsage } from '../contracts/conversations'

/** A key as the vault lends it, for one call to one host. Without `apiKey` the server asks for none. */
export type ModelKey = {
  provider: 'openai' | 'openai-compatible' | 'anthropic' | 'demo'
  apiKey: string | null
  /** Without a slash at the end; with the version in it, such as `https://api.openai.com/v1`, but for Anthropic's. */
  baseUrl: string
  last4: string | null
}

/**
 * A file as a model is given it: by its id at the provider, which must be of the account of the call's key, by its bytes,
 * or, where neither can be, by name.
 */
export type ModelFile = {
  filename: string
  mimeType: string
  bytes: number
  content:
    | { type: 'text'; text: string }
    | { type: 'image' | 'document'; remoteId: string }
    | { type: 'image' | 'document'; base64: string }
    | { type: 'absent'; reason: string }
}

export type ModelMessage = { role: 'user' | 'assistant'; text: string; files?: ModelFile[] }

/** How long each part of a call may take, in milliseconds; `idleMs` is the longest silence in mid-answer. */
export type ProviderTimeouts = { connectMs: number; firstByteMs: number; idleMs: number; totalMs: number }

/**
 * When the reader takes more of an answer. Between its turns the server is not read from: what comes meanwhile waits in
 * the system's buffers, and is read at once, which costs a fraction of reading each token when it comes.
 */
type Pace = {
  readonly isTurn: boolean
  /** Calls back when a turn begins or ends, until the returned function is called. */
  onChange(changed: () => void): () => void
}

/** One question to a model; what is null is left to the provider. */
export type ModelCall = {
  key: ModelKey
  model: string
  instructions: string
  messages: ModelMessage[]
  /** The last message is an answer of the model's that broke off, and is to be continued. */
  continues?: boolean
  temperature: number | null
  maxOutputTokens: number | null
  reasoningEffort: string | null
  timeouts: ProviderTimeouts
  /** Ends the call at once: the connection is closed and the iteration throws the signal's reason. */
  signal: AbortSignal
  /** Without it the reader takes whatever comes. */
  pace?: Pace
  /** Asks so that the answer can be resumed and outlives its connection, where the provider can do that. */
  background?: boolean
  /** Asks nothing: goes on with an answer that was asked for earlier, as if it had been read up to `after`. */
  resume?: Resume | null
}

/** A place in an answer that the provider keeps. */
export type Place = {
  responseId: string
  /** The cursor of the last event that was taken; -1 for the whole answer. */
  after: number
}

/** Where to go on in an answer, and what of it was there before. */
export type Resume = Place & {
  /** Some text was taken already. */
  began: boolean
  /** Some reasoning was taken already; without it, its first paragraph break is a good guess. */
  reasoned?: boolean
}

/** Why the model ended its answer. */
export type Finish = 'stop' | 'length' | 'refusal' | 'content_filter' | 'tool'

/**
 * What a model says. Text comes in pieces of any size; `done` is the last, and the only sign of success.
 * `resumable` comes once, before any text. A call that is resumed after a `cursor` says what came after the event with
 * that cursor, and nothing of what came before; text without one, at a bad end, would come again.
 */
export type ModelEvent =
  | { type: 'resumable'; responseId: string }
  | { type: 'text' | 'reasoning'; text: string; cursor?: number }
  | { type: 'done'; usage: TokenUsage | null; finish: Finish }

/** Where a reader of a wire format puts what it has understood. */
export type AnswerSink = {
  resumable(responseId: string): void
  text(piece: string, cursor?: number): void
  reasoning(piece: string, cursor?: number): void
  done(usage: TokenUsage | null, finish: Finish): void
}

/** Understands the events of one answer, one after the other; throws AppError where the answer is an error. */
export type AnswerReader = {
  read(data: string): void
  /** The body is over, in whatever way. True if the answer was whole. */
  end(): boolean
  /** Where a new connection could go on, or null where none can. */
  resumePoint(): Place | null
  /** A new connection goes on at that place: what it repeats is passed over. */
  reopen(): void
}

/** One way of talking to a model server. */
export type Dialect = {
  path: string
  /** Answers can be asked for in the background and resumed. */
  canResume: boolean
  requestBody(call: ModelCall): Record<string, unknown>
  openReader(call: ModelCall, sink: AnswerSink): AnswerReader
}
