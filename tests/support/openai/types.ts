/** A JSON object as it is on the wire. */
export type Body = Record<string, unknown>

/** How a scripted answer ends; the last group breaks the connection or the framing rather than the answer. */
export type End =
  | 'completed'
  | 'incomplete'
  | 'failed'
  | 'error_nested'
  | 'error_flat'
  | 'cut_mid_event'
  | 'cut_mid_character'
  | 'cut_before_end'
  | 'stall'
  | 'reset'
  | 'malformed'
  | 'html200'
  | 'no_done'

/** How the bytes of a stream are spread over writes: whole events, single bytes, or random pieces by seed. */
export type Split = 'events' | 'bytes' | { random: number }

/** The errors OpenAI answers with, by name; see `errors.ts` for status, body and headers. */
export type ErrorName =
  | 'invalid_request'
  | 'context_length_exceeded'
  | 'invalid_api_key'
  | 'missing_scope'
  | 'unsupported_country'
  | 'model_not_found'
  | 'conflict'
  | 'rate_limit_exceeded'
  | 'insufficient_quota'
  | 'server_error'
  | 'overloaded'

/** An error spelled out, where no named one fits. */
export type ErrorSpec = {
  status: number
  message: string
  type?: string
  code?: string | null
  param?: string | null
  headers?: Record<string, string>
}

/** One output item of a scripted answer, in the order given. */
export type ScriptItem =
  | { type: 'reasoning'; summary?: string | string[]; text?: string }
  | { type: 'text'; text: string | string[]; annotations?: Body[] }
  | { type: 'refusal'; refusal: string | string[] }
  | { type: 'function'; name: string; arguments: string | Body; callId?: string }
  | { type: 'custom'; name: string; input: string; callId?: string }
  | { type: 'web_search'; query: string; sources?: string[] }
  | { type: 'file_search'; queries: string[]; results?: Body[] }
  | { type: 'code_interpreter'; code: string; logs?: string }
  | { type: 'image_generation'; base64?: string; prompt?: string; partials?: number }
  | { type: 'mcp_list_tools'; server: string; tools?: Body[]; error?: string }
  | { type: 'mcp_call'; server: string; name: string; arguments: string; output?: string; error?: string }
  | { type: 'mcp_approval'; server: string; name: string; arguments: string }
  | { type: 'raw'; item: Body }

/** Which requests a script is for; all given conditions must hold. */
export type Match = {
  /** The path begins with this, `/v1` included; without it a script is only for calls that generate. */
  path?: string
  method?: string
  model?: string
  /** The last user input contains this. */
  input?: string
  /** The bearer key equals this. */
  key?: string
}

/** What to answer; everything left out is as without a script. */
export type Script = {
  match?: Match
  /** The answer; a list gives the deltas exactly. */
  text?: string | string[]
  /** The reasoning summary (`reasoning_content` in chat); a list gives the parts. */
  reasoning?: string | string[]
  refusal?: string
  /** All output items, instead of text, reasoning and refusal. */
  items?: ScriptItem[]
  end?: End
  /** How many deltas come before the end takes hold; without it half of them (all for `incomplete`). */
  after?: number
  /** For cuts: `clean` closes the HTTP body properly, `abrupt` drops the connection. */
  close?: 'clean' | 'abrupt'
  /** The message and code that `failed` and the in-stream errors carry. */
  failure?: { code: string; message: string; type?: string }
  /** The HTTP error to answer with instead: a name, a status, or all of it. */
  error?: ErrorName | number | ErrorSpec
  /** Seconds in `retry-after` of a 429 or 503. */
  retryAfterSeconds?: number
  headers?: Record<string, string>
  firstByteDelayMs?: number
  /** Between two deltas. */
  delayMs?: number
  /** Deltas a second, on a fixed schedule; wins over `delayMs`. */
  tokensPerSecond?: number
  /** How long a background response stays `queued`. */
  queuedMs?: number
  split?: Split
  crlf?: boolean
  /** Puts events of types no client knows, comments and an `id:` field between the others. */
  unknownEvents?: boolean
  usage?: { input?: number; output?: number; reasoning?: number; cached?: number }
  /** Why an `incomplete` answer stopped. */
  reason?: 'max_output_tokens' | 'content_filter'
  /** Streams these pieces as they are, one a delta, whatever was asked: for providers that frame differently. */
  raw?: string[]
  /** A folder with `response.body` and `response.headers.json` of a recorded exchange, sent verbatim. */
  replay?: string
}

/** One request that the server got. */
export type JournalEntry = {
  id: number
  method: string
  /** With the query. */
  path: string
  headers: Record<string, string>
  /** Parsed JSON; the fields of a multipart form (files as their name and size); else the text. */
  body: unknown
  /** Milliseconds since 1970. */
  at: number
  /** The status that was answered, once it was. */
  status?: number
  /** Milliseconds since 1970; set when the client left before the answer was whole. */
  closedByClientAt?: number
}

/** A script, or a function that makes one from the request (`undefined`: as without a script). */
export type ScriptSource = Script | ((request: JournalEntry) => Script | undefined)
