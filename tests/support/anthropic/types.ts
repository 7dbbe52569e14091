import type { Split } from '../openai/types.ts'

/** A JSON object as it is on the wire. */
export type Body = Record<string, unknown>

/** One block of a scripted message, in the order given. A list gives the deltas exactly. */
export type ScriptBlock =
  | { type: 'text'; text: string | string[] }
  | { type: 'thinking'; thinking: string | string[]; signature?: string }
  | { type: 'redacted_thinking'; data: string }
  | { type: 'tool_use'; name: string; input: Body; id?: string }
  /** Of a kind that clients do not know. */
  | { type: 'raw'; block: Body; deltas?: Body[] }

/** How a stream ends: whole, or as it should not. */
type End = 'whole' | 'error' | 'cut' | 'reset' | 'stall' | 'malformed' | 'no_stop'

/** An error as Anthropic names it. */
export type ErrorSpec = { status: number; type: string; message: string; headers?: Record<string, string> }

/** What to answer; everything left out is as without a script. */
export type Script = {
  blocks?: ScriptBlock[]
  /** Instead of `end_turn`, or `tool_use` where there are calls. */
  stopReason?: string
  stopSequence?: string
  /** Why the model declined; the reason of the end is then `refusal`. */
  refusal?: string
  usage?: { input?: number; cacheRead?: number; cacheWritten?: number; output?: number; thinking?: number }
  /** The HTTP error to answer with instead: a name of `errors.ts`, or all of it. */
  error?: string | ErrorSpec
  end?: End
  /** After how many events the end takes hold; without it half of them. */
  after?: number
  /** What the `error` event says. */
  failure?: { type: string; message: string }
  split?: Split
  crlf?: boolean
  /** Puts comments and events of types that no client knows between the others. */
  unknownEvents?: boolean
  delayMs?: number
  firstByteDelayMs?: number
  headers?: Record<string, string>
}

/** A script, or a function that makes one from what was asked. */
export type ScriptSource = Script | ((body: Body) => Script)
