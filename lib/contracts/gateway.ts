import { z } from 'zod'

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
