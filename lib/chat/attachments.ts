import type { Actor } from '../auth'
import { asAppError } from '../errors'
import { forgetCopies, lendFiles } from '../files'
import type { ModelMessage } from '../providers'
import type { LentKey } from '../vault'
import type { Told } from './context'

/** The messages with what is in their files, as far as the actor may still read them and the model can. */
export async function giveFiles(actor: Actor, key: LentKey, told: Told[]): Promise<ModelMessage[]> {
  const attached = told.flatMap((message) => message.attached ?? [])
  if (attached.length === 0) return told
  const lent = await lendFiles(actor, key, attached)
  return told.map(({ attached: parts, ...message }) => {
    const files = parts?.flatMap((part) => lent.get(part.file_id) ?? [])
    return files ? { ...message, files } : message
  })
}

/** Throws the error again; where it may be that the provider has lost a file, that one is sent anew with the next try. */
export async function explainFiles(messages: ModelMessage[], error: unknown): Promise<never> {
  const remoteIds = messages.flatMap(({ files = [] }) =>
    files.flatMap(({ content }) => ('remoteId' in content ? [content.remoteId] : [])),
  )
  const isAboutFile = /\bfile/i.test(asAppError(error).message)
  if (remoteIds.length > 0 && isAboutFile) await forgetCopies(remoteIds).catch(() => undefined)
  throw error
}
