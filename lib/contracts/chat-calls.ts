import { z } from 'zod'
import type { TokenUsage } from './conversations'
import { FileId } from './files'
import { maxMessageFiles, maxMessageLength } from './limits'
import { Id, line, prose } from './primitives'

/** As many turns of a conversation as a model is ever told. */
const maxTurns = 400

const Said = prose(maxMessageLength).refine((text) => text.trim() !== '', 'Write a message first.')

/** What was said before, as the client remembers it; an empty turn says nothing. */
const History = z
  .array(z.strictObject({ role: z.enum(['user', 'assistant', 'system']), content: prose(maxMessageLength) }))
  .max(maxTurns, `At most ${maxTurns} messages.`)

const AttachedFile = z
  .strictObject({
    name: line(255).optional(),
    content: prose(maxMessageLength).optional(),
    file_id: FileId.optional(),
  })
  .refine(
    ({ content, file_id }) => (content === undefined) !== (file_id === undefined),
    'Give either content or file_id.',
  )

/** Body of `POST /api/chat`. `username` is what a client calls its user; who calls is who sent the key. */
export const ChatCall = z.strictObject({
  message: Said,
  history: History.nullish(),
  attached_files: z.array(AttachedFile).max(maxMessageFiles).nullish(),
  model: line(200).nullish(),
  session_id: line(200).nullish(),
  username: prose(254).nullish(),
  stream: z.boolean().nullish(),
})
export type ChatCall = z.infer<typeof ChatCall>

/** Body of `POST /api/chat/agents/{agentId}`. */
export const AgentChatCall = z.strictObject({
  message: Said,
  conversation_id: Id.nullish(),
  file_ids: z.array(FileId).max(maxMessageFiles).nullish(),
})
export type AgentChatCall = z.infer<typeof AgentChatCall>

/** A whole answer of `POST /api/chat`. `session_id` is the client's, or one by which the conversation goes on. */
export type ChatAnswer = {
  success: true
  response: string
  model: string | null
  usage: TokenUsage | null
  session_id: string
  timestamp: string
}
