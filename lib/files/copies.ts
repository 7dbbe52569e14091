import { createReadStream } from 'node:fs'
import type { Actor } from '../auth'
import { db, sql } from '../db'
import { log } from '../log'
import { deleteUpload, uploadToProvider } from '../providers'
import { remember } from '../remember'
import type { LentKey } from '../vault'
import { pathOf } from './folder'
import { kindOf } from './kinds'
import type { FileRow } from './records'

const underWay = () => remember('files.copies', () => new Map<string, Promise<string | null>>())

/** Which account at OpenAI a key is of, as far as we can tell: a key that was replaced may be another's. */
function accountOf({ source, credentialId, version, last4, baseUrl }: LentKey): string {
  return [source, credentialId ?? last4 ?? '', version ?? 0, baseUrl].join('|')
}

/**
 * The id of a file at OpenAI, where it is sent now if it was not before; who asks at the same time shares the call.
 * Null where that failed, which the log tells: then the file goes along with the question.
 */
export function ensureCopy(key: LentKey, row: FileRow): Promise<string | null> {
  const account = accountOf(key)
  const known = row.copies.find((copy) => copy.account === account)
  if (known) return Promise.resolve(known.remoteId)
  const name = `${row.id}|${account}`
  const sending = underWay().get(name) ?? send(key, row, account).finally(() => underWay().delete(name))
  underWay().set(name, sending)
  return sending
}

async function send(key: LentKey, row: FileRow, account: string): Promise<string | null> {
  try {
    const remoteId = await uploadToProvider(key, {
      filename: row.filename,
      mimeType: row.mimeType,
      bytes: row.bytes,
      purpose: purposeOf(row),
      open: () => createReadStream(pathOf(row.id)),
    })
    await db().fileCopy.createMany({ data: { fileId: row.id, account, remoteId }, skipDuplicates: true })
    return remoteId
  } catch (err) {
    log().warn({ err, fileId: row.id }, 'a file was not sent to OpenAI')
    return null
  }
}

/** An image that nobody said a purpose for is there to be looked at. */
function purposeOf({ purpose, mimeType }: FileRow): string {
  return purpose === 'user_data' && kindOf(mimeType) === 'image' ? 'vision' : purpose
}

/** Removes a file at OpenAI where the key is of the account that it was sent with; what fails is told by the log alone. */
export async function removeCopies(key: LentKey, copies: FileRow['copies']): Promise<void> {
  const account = accountOf(key)
  for (const { remoteId } of copies.filter((copy) => copy.account === account)) {
    await deleteUpload(key, remoteId).catch((err: unknown) =>
      log().warn({ err, remoteId }, 'a file was not deleted at OpenAI'),
    )
  }
}

/** Which of these ids at a provider are copies of the actor's own files, within the key's reach, that lie where this key leads. */
export async function findOwnCopies(
  { userId, boundTo }: Actor,
  { baseUrl }: Pick<LentKey, 'baseUrl'>,
  remoteIds: string[],
): Promise<string[]> {
  const file = { userId, ...(boundTo !== null && { projectId: boundTo }) }
  const where = { remoteId: { in: remoteIds }, account: { endsWith: `|${baseUrl}` }, file }
  const copies = await db().fileCopy.findMany({ where, select: { remoteId: true } })
  return copies.map(({ remoteId }) => remoteId)
}

/** Forgets what a provider may not have any more, so that it is sent anew. */
export async function forgetCopies(remoteIds: string[]): Promise<void> {
  await sql`DELETE FROM file_copies WHERE remote_id = ANY(${remoteIds}::text[])`
}
