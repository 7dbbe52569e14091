import { z } from 'zod'

/** An id as the product makes them: UUIDv7, in lower case. */
export const Id = z.uuid('This is not an id.')

export const Page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().min(1).max(200).optional(),
})
export type Page = z.infer<typeof Page>

/** One page of a list; `next_cursor` is null on the last. */
export type Listing<T> = { items: T[]; next_cursor: string | null }

/** The portal dialect's error body. */
export type ErrorBody = {
  error: {
    code: string
    message: string
    request_id: string
    issues?: { path: string; message: string }[]
    facts?: Record<string, unknown>
  }
}

/** A line of text: trimmed, without control characters, never empty. */
export function line(maxLength: number) {
  return (
    z
      .string()
      .trim()
      .min(1, 'This cannot be empty.')
      .max(maxLength, `At most ${maxLength} characters.`)
      // biome keeps control characters out of regular expressions; Unicode's class says the same.
      .regex(/^\P{Cc}*$/u, 'Control characters are not allowed.')
  )
}

/** Free text of any number of lines. Postgres cannot store U+0000, nor can a lone surrogate be sent as UTF-8. */
export function prose(maxLength: number) {
  return z
    .string()
    .max(maxLength, `At most ${maxLength} characters.`)
    .refine(
      (text) => !text.includes('\u0000') && text.isWellFormed(),
      'This text has characters that cannot be stored.',
    )
}
