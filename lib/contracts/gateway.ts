import { z } from 'zod'
import { wholeNumber } from './primitives'

/** A model's name as a path: some have slashes in them (`meta-llama/llama-3`). None leads elsewhere. */
export const ModelParams = z.strictObject({
  model: z
    .array(z.string().min(1).max(200))
    .max(8)
    .transform((parts) => parts.map(decodeURIComponent).join('/'))
    .pipe(
      z
        .string()
        .max(200)
        .regex(/^[\w][\w:@+-]*(?:[./][\w:@+-]+)*$/),
    ),
})

/** A response's name, as OpenAI makes them or we do; none leads elsewhere. */
export const ResponseParams = z.strictObject({ responseId: z.string().regex(/^resp[-_][\w-]{1,200}$/) })

/** A file as a model server calls it; `.` and `/` in a path would lead elsewhere. */
export const RemoteFileId = z.string().regex(/^[A-Za-z0-9][\w-]{0,127}$/)

export const RemoteFileParams = z.strictObject({ fileId: RemoteFileId })

/** As OpenAI's list takes it; what else is asked for is passed over. */
export const ListRemoteFiles = z.object({
  purpose: z.string().max(64).optional(),
  limit: wholeNumber(1, 10_000).default(10_000),
  order: z.enum(['asc', 'desc'], { error: 'One of asc, desc.' }).default('desc'),
  after: RemoteFileId.optional(),
})
export type ListRemoteFiles = z.infer<typeof ListRemoteFiles>
