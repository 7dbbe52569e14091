import { z } from 'zod'
import { FileId } from './files'
import { maxMessageFiles, maxMessageLength } from './limits'
import { Id, line, pageFields, prose, wholeNumber } from './primitives'

export const CreateConversation = z.strictObject({ title: line(200).optional() })
export type CreateConversation = z.infer<typeof CreateConversation>

const Flag = z.enum(['true', 'false']).transform((word) => word === 'true')

export const ListConversations = z.strictObject({
  query: prose(200).trim().optional(),
  agent_id: Id.optional(),
  archived: Flag.optional(),
  pinned: Flag.optional(),
  ...pageFields,
})
export type ListConversations = z.infer<typeof ListConversations>

export const UpdateConversation = z.strictObject({
  title: line(200).optional(),
  pinned: z.boolean().optional(),
  archived: z.boolean().optional(),
  current_message_id: Id.optional(),
})
export type UpdateConversation = z.infer<typeof UpdateConversation>

const writeFirst = { path: ['text'], message: 'Write a message first.' }
const MessageText = prose(maxMessageLength).refine((text) => text.trim() !== '', writeFirst.message)

/** `id` is made by the client (UUIDv7), so that sending the same thing again is the same message. */
export const SendMessage = z
  .strictObject({
    id: Id,
    parent_id: Id.nullable(),
    text: prose(maxMessageLength),
    file_ids: z.array(FileId).max(maxMessageFiles, `At most ${maxMessageFiles} files.`).optional(),
  })
  .refine(({ text, file_ids }) => text.trim() !== '' || (file_ids ?? []).length > 0, writeFirst)
export type SendMessage = z.infer<typeof SendMessage>

export const RegenerateMessage = z.strictObject({ id: Id, model: line(200).optional() })
export const EditMessage = z.strictObject({ id: Id, text: MessageText })
export const ContinueMessage = z.strictObject({ id: Id })
export type RegenerateMessage = z.infer<typeof RegenerateMessage>
export type EditMessage = z.infer<typeof EditMessage>
export type ContinueMessage = z.infer<typeof ContinueMessage>

export const ConversationParams = z.strictObject({ conversationId: Id })
export const MessageParams = z.strictObject({ messageId: Id })
export const ReplyParams = z.strictObject({ replyId: Id })
/** `after` is the number of the last event that the caller has seen; without it, or with -1, all of them come. */
export const FollowReply = z.strictObject({ after: wholeNumber(-1, 2_147_483_647).optional() })

export type MessageStatus = 'running' | 'completed' | 'stopped' | 'interrupted' | 'failed'
type MessageRole = 'user' | 'assistant' | 'system' | 'tool'

/** A file that came with a message. What it says stays when the file is deleted. */
export type FilePart = {
  type: 'file'
  /** Our own id. */
  file_id: string
  filename: string
  mime_type: string
  bytes: number
}

export type MessagePart =
  | { type: 'text'; text: string }
  | { type: 'reasoning'; text: string }
  | FilePart
  | { type: 'tool'; name: string; input?: unknown; output?: unknown }

export type TokenUsage = {
  input_tokens: number
  output_tokens: number
  total_tokens: number
  cached_tokens?: number
  /** Of the input, what the provider keeps for later calls. */
  cache_write_tokens?: number
  reasoning_tokens?: number
}

/** Why a reply failed, in the reader's words, and what can be done about it. */
export type ReplyError = {
  code: string
  message: string
  /** What the page offers: `retry` the same, `vault` to replace a key, `settings` to choose another model. */
  remedy: 'retry' | 'vault' | 'settings'
  request_id?: string
}

/** An answer that is complete but not whole: cut for length, stopped by a filter, refused, or ended for a tool. */
export type EarlyFinish = 'length' | 'content_filter' | 'refusal' | 'tool'

export type MessageRecord = {
  id: string
  parent_id: string | null
  role: MessageRole
  status: MessageStatus
  parts: MessagePart[]
  text: string
  model?: string
  provider?: string
  usage?: TokenUsage
  error?: ReplyError
  /** Why the model ended a completed answer before it was done. */
  finish?: EarlyFinish
  created_at: string
}

export type ConversationRecord = {
  id: string
  agent_id: string
  title: string
  pinned: boolean
  archived: boolean
  current_message_id: string | null
  running: boolean
  created_at: string
  last_activity_at: string
}

export type ConversationView = {
  conversation: ConversationRecord
  messages: MessageRecord[]
  running_reply_id: string | null
}

/** Answer to a sent message: the stored message and where its reply can be followed. */
export type OpenedReply = {
  message: MessageRecord
  reply: { id: string; message_id: string; events_url: string }
}

/** What a reply's event stream carries; `seq` is the SSE id. */
export type ReplyEvent =
  | { type: 'text'; data: { text: string } }
  | { type: 'reasoning'; data: { text: string } }
  | { type: 'completed'; data: { message: MessageRecord; usage: TokenUsage | null } }
  | { type: 'stopped'; data: { message: MessageRecord } }
  | { type: 'interrupted'; data: { message: MessageRecord } }
  | { type: 'failed'; data: { message: MessageRecord; error: ReplyError } }
