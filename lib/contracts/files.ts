import { z } from 'zod'
import { Id, pageFields } from './primitives'

/** One of ours, or OpenAI's own for a file that was sent there too. */
export const FileId = z.union([
  Id,
  z.string().regex(/^file[-_][\w-]{4,120}$/, 'This is not the id of a file.'),
])

/** What a file is for, in OpenAI's words; its Files API is told the same. */
const FilePurpose = z.enum(['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'], {
  error: 'One of assistants, batch, fine-tune, vision, user_data, evals.',
})

/** What an upload may say beside its file. Older clients send empty fields for what they leave out. */
export const UploadFields = z.strictObject({
  agent_id: z
    .literal('')
    .transform(() => undefined)
    .or(Id)
    .optional(),
  project_id: z
    .literal('')
    .transform(() => undefined)
    .or(Id)
    .optional(),
  purpose: FilePurpose.default('user_data'),
})
export type UploadFields = z.infer<typeof UploadFields>

export const FileParams = z.strictObject({ fileId: FileId })

export const ListFiles = z.strictObject({ project_id: Id.optional(), ...pageFields })
export type ListFiles = z.infer<typeof ListFiles>

/** A file as the contract shows it. `file_id` is OpenAI's where it was sent there, else the same as `id`. */
export type FileRecord = {
  id: string
  file_id: string
  filename: string
  /** As its content says. */
  mime_type: string
  bytes: number
  purpose: string
  project_id: string | null
  created_at: string
}
