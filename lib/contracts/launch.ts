import { z } from 'zod'
import { Id } from './primitives'

/** Body of `POST /api/launch`. `username` is the email of an account. */
export const CreateLaunch = z.strictObject({
  username: z
    .string()
    .trim()
    .toLowerCase()
    .min(1, 'Say whom to sign in.')
    .max(254, 'At most 254 characters.'),
  agent_id: Id.nullish(),
})
export type CreateLaunch = z.output<typeof CreateLaunch>

/** A link that signs somebody in once, and until when it does (ISO 8601 UTC). */
export type Launch = { url: string; expires_at: string }
