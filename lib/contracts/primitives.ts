import { z } from 'zod'

/** An id as the product makes them: UUIDv7, in lower case, however it was written. */
export const Id = z.uuid('This is not an id.').toLowerCase()

const latestMs = Date.parse('9999-12-31T23:59:59.999Z')

/** A time that is still to come, in ISO 8601, in a year of four digits; `example` says what to enter. */
export function comingTime(example: string) {
  return z.iso
    .datetime({ offset: true, error: example })
    .refine((time) => Date.parse(time) <= latestMs, 'Choose a time before the year 10000.')
    .refine((time) => Date.parse(time) > Date.now(), 'Choose a time that is still to come.')
}

/** A whole number in a URL, in digits; nothing else stands for one, least of all nothing. */
export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^-?\d{1,10}$/, 'Enter a whole number.')
    .transform(Number)
    .pipe(z.number().min(min, `At least ${min}.`).max(max, `At most ${max}.`))
}

/** What every list takes in its query. */
export const pageFields = {
  limit: wholeNumber(1, 100).default(50),
  cursor: z.string().min(1).max(200).optional(),
}

export const Page = z.strictObject(pageFields)
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

const isStorable = (text: string) => !text.includes('\u0000') && text.isWellFormed()
const notStorable = 'This text has characters that cannot be stored.'

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
      .refine((text) => text.isWellFormed(), notStorable)
  )
}

/** Free text of any number of lines. Postgres cannot store U+0000, nor can a lone surrogate be sent as UTF-8. */
export function prose(maxLength: number) {
  return z.string().max(maxLength, `At most ${maxLength} characters.`).refine(isStorable, notStorable)
}
