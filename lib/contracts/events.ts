import { z } from 'zod'
import type { ConversationRecord, ReplyEvent } from './conversations'
import { maxFollowedReplies } from './limits'
import { Id, wholeNumber } from './primitives'

const Follows = z
  .string()
  .max(maxFollowedReplies * 50, `At most ${maxFollowedReplies} answers.`)
  .transform((text) => text.split(',').map((entry) => entry.split(':')))
  .pipe(
    z
      .array(
        z.tuple([Id, wholeNumber(-1, 2_147_483_647)], 'Write <id of the reply>:<number of the last event>.'),
      )
      .max(maxFollowedReplies, `At most ${maxFollowedReplies} answers.`),
  )
  .refine((follows) => new Set(follows.map(([id]) => id)).size === follows.length, 'Name each answer once.')

/** `replies` lists the answers to follow as `<id>:<number of the last event that the caller has seen, or -1>,…`. */
export const FollowEvents = z.strictObject({ replies: Follows.optional() })

/** Which replies are followed, and the last event that is known of each; -1 for none. */
export type Follows = z.infer<typeof Follows>

/** What the one stream of a browser carries: news of the user's conversations, and the events of followed answers. */
export type LiveEvent =
  | { type: 'hello'; data: { user_id: string } }
  | { type: 'conversation'; data: ConversationRecord }
  | { type: 'conversation_deleted'; data: { id: string } }
  | { type: 'reply'; data: { reply_id: string; seq: number } & ReplyEvent }
  | { type: 'reply_gone'; data: { reply_id: string } }
