import { z } from 'zod'
import { Id, pageFields, prose } from './primitives'

/** So many bytes of JSON a client may say about a session: at its start, and in metrics all in all. */
export const maxSaidBytes = 16_384
const maxDepth = 8
const maxNodes = 2000

/** Anything that JSON can say. */
type Json = string | number | boolean | null | Json[] | { [name: string]: Json }
export type JsonObject = { [name: string]: Json }

const isStorable = (text: string) => !text.includes('\u0000') && text.isWellFormed()

/** What is wrong with a value, or null: too deep, too many parts, numbers that are none, text that cannot be stored. */
function findFault(root: unknown): string | null {
  const open: { value: unknown; depth: number }[] = [{ value: root, depth: 0 }]
  for (let seen = 0; ; seen++) {
    const next = open.pop()
    if (!next) return null
    if (seen === maxNodes) return `At most ${maxNodes} values.`
    const { value, depth } = next
    if (typeof value === 'number' && !Number.isFinite(value)) return 'This number is too large.'
    if (typeof value === 'string' && !isStorable(value)) return 'This has characters that cannot be stored.'
    if (typeof value !== 'object' || value === null) continue
    if (depth === maxDepth) return `At most ${maxDepth} levels deep.`
    for (const [name, part] of Object.entries(value)) {
      if (!isStorable(name)) return 'This has characters that cannot be stored.'
      open.push({ value: part, depth: depth + 1 })
    }
  }
}

/** A JSON object of at most 16 KB and eight levels, kept as it was said. */
const Said = z
  .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    error: 'This must be an object.',
  })
  .superRefine((value, context) => {
    const fault = findFault(value) ?? (sizeOf(value) > maxSaidBytes ? 'At most 16 KB of JSON.' : null)
    if (fault) context.addIssue({ code: 'custom', message: fault })
  })

function sizeOf(value: JsonObject): number {
  return new TextEncoder().encode(JSON.stringify(value)).byteLength
}

/** `session_YYYYMMDD_HHMMSS`, and from the second of one moment on `_2`, `_3`, … */
const SessionName = z
  .string()
  .regex(/^session_\d{8}_\d{6}(_([2-9]|[1-9]\d{1,5}))?$/, 'This is not the id of a session.')

export const StartSession = z.strictObject({ username: prose(200).optional(), metadata: Said.optional() })
export type StartSession = z.infer<typeof StartSession>

/** Whatever is no id names no session: it is looked for, and not found. */
const AnyName = z.string().max(200)

export const StopSession = z.strictObject({ session_id: AnyName, metrics: Said.optional() })
export type StopSession = z.infer<typeof StopSession>

export const LeaveSession = z.strictObject({ session_id: AnyName })
export type LeaveSession = z.infer<typeof LeaveSession>

export const RecordMetrics = z.strictObject({ session_id: AnyName, metrics: Said })
export type RecordMetrics = z.infer<typeof RecordMetrics>

export const ChatSessionParams = z.strictObject({ sessionId: SessionName })

/** A day of the server's own calendar. */
const Day = z.iso.date('Enter a day such as 2030-01-31.')
export const DayQuery = z.strictObject({ day: Day })

export const ListChatSessions = z.strictObject({
  user: Id.optional(),
  day: Day.optional(),
  ...pageFields,
})
export type ListChatSessions = z.infer<typeof ListChatSessions>

export type SessionStarted = { success: true; session_id: string; timestamp: string }
export type SessionStopped = {
  success: true
  session_id: string
  duration_seconds: number
  metrics: JsonObject
}
export type SessionLeft = { success: true; session_id: string }
export type MetricsRecorded = { success: true; session_id: string; timestamp: string }

export type ChatSessionRecord = {
  session_id: string
  user: { id: string; email: string; name: string | null }
  /** What the client called its user; not to be believed. */
  username: string
  status: 'open' | 'stopped'
  /** `silence`: nobody stopped it. */
  ended_by: 'client' | 'silence' | null
  /** The day on which it began, in the server's local time. */
  day: string
  started_at: string
  stopped_at: string | null
  duration_seconds: number | null
  /** What was counted, and over it what the client said. */
  metrics: JsonObject
}

export type SpokenConversation = { id: string; title: string; agent_id: string; agent_name: string }

/** One session with all that is known of it. */
export type ChatSessionView = ChatSessionRecord & {
  metadata: JsonObject
  /** What the server counted itself. */
  counted: JsonObject
  /** What the client said. */
  said: JsonObject
  conversation_count: number
  /** Those that the reader may open: their own. */
  conversations: SpokenConversation[]
}
