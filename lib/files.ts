import type { Actor } from './auth'
import type { FilePart } from './contracts/conversations'
import type { FileRecord, ListFiles } from './contracts/files'
import { maxFileBytes } from './contracts/limits'
import type { Listing } from './contracts/primitives'
import { db } from './db'
import { AppError, asAppError } from './errors'
import { streamContent } from './files/content'
import { ensureCopy, removeCopies } from './files/copies'
import { prepareFolder, removeContent, requireDisk, sweepStrays } from './files/folder'
import { takeFile, tooLarge } from './files/intake'
import { type KeptFile, keepFile, requireQuota, takeSeat } from './files/keeping'
import { kindOf } from './files/kinds'
import { contentDisposition } from './files/names'
import { type FileRow, missing, named, toFileRecord, visibleTo, withCopies } from './files/records'
import { readForm } from './http'
import { log } from './log'
import { after, cursorOf, newestFirst, readCursor, toListing } from './paging'
import { remember } from './remember'
import { withCredential } from './vault'

export { findOwnCopies, forgetCopies } from './files/copies'
export { lendFiles } from './files/lending'

const sweepEveryMs = 3_600_000
/** What a form has around its file. */
const formBytes = 64 * 1024

const sweeping = () => remember('files.sweeping', (): { timer: NodeJS.Timeout | null } => ({ timer: null }))

/** Makes the folder of files, removes what a crash has left in it, and looks for that every hour. */
export async function openFiles(): Promise<void> {
  await prepareFolder()
  await sweepStrays()
  const sweep = () =>
    void sweepStrays().catch((err: unknown) => log().warn({ err }, 'the folder of files was not swept'))
  clearInterval(sweeping().timer ?? undefined)
  sweeping().timer = setInterval(sweep, sweepEveryMs).unref()
}

/** Looks no more. */
export function closeFiles(): void {
  clearInterval(sweeping().timer ?? undefined)
}

/**
 * Takes the one file of a form, straight to the disk, and keeps it.
 * Throws too_large, unsupported_media_type, storage_full, too_many_requests, invalid_input, not_found, forbidden.
 */
export async function uploadFile(actor: Actor, request: Request): Promise<FileRecord> {
  const declaredBytes = Number(request.headers.get('content-length') ?? 0)
  if (declaredBytes > maxFileBytes + formBytes) throw tooLarge()
  const leave = takeSeat(actor)
  try {
    await requireDisk(declaredBytes)
    await requireQuota(actor, 1)
    const { fields, file } = await readForm(request, { take: takeFile, drop: ({ id }) => removeContent(id) })
    return await shareWithProvider(actor, await keepFile(actor, fields, file))
  } finally {
    leave()
  }
}

/** The record with OpenAI's id, where the key that serves is one of OpenAI's. That it cannot be sent is no fault of the upload. */
async function shareWithProvider(actor: Actor, { row, want }: KeptFile): Promise<FileRecord> {
  try {
    await withCredential(actor, want, async (key) => {
      if (key.provider === 'openai') await ensureCopy(key, row)
    })
  } catch (error) {
    if (asAppError(error).code === 'internal') throw error
  }
  return getFile(actor, row.id)
}

/** The parts of a message that carry these files, in their order, each once. Throws not_found. */
export async function getFileParts(actor: Actor, fileIds: string[]): Promise<FilePart[]> {
  const records = await Promise.all([...new Set(fileIds)].map((fileId) => getFile(actor, fileId)))
  const byId = new Map(records.map((record) => [record.id, record]))
  return [...byId.values()].map(({ id, filename, mime_type, bytes }) => ({
    type: 'file',
    file_id: id,
    filename,
    mime_type,
    bytes,
  }))
}

/** The actor's files, or with a project those that its members share; newest first. Throws invalid_input. */
export async function listFiles(actor: Actor, page: ListFiles): Promise<Listing<FileRecord>> {
  const owned = page.project_id ? { projectId: page.project_id } : { userId: actor.userId }
  const rows = await db().file.findMany({
    where: { AND: [visibleTo(actor), owned, after(readCursor(page.cursor))] },
    orderBy: newestFirst,
    take: page.limit + 1,
    include: withCopies,
  })
  return toListing(rows, page.limit, { record: toFileRecord, cursor: cursorOf })
}

/** One file, by our id or OpenAI's. Throws not_found. */
export async function getFile(actor: Actor, fileId: string): Promise<FileRecord> {
  const row = await db().file.findFirst({
    where: { AND: [named(fileId), visibleTo(actor)] },
    include: withCopies,
  })
  if (!row) throw missing()
  return toFileRecord(row)
}

/** The content of a file, for a browser to save; images can be shown, and cannot do anything. Throws not_found. */
export async function getFileContent(actor: Actor, fileId: string): Promise<Response> {
  const { id, filename, mime_type: mimeType, bytes } = await getFile(actor, fileId)
  const isImage = kindOf(mimeType) === 'image'
  return new Response(await streamContent(id), {
    headers: {
      'content-type': mimeType.startsWith('text/') ? `${mimeType}; charset=utf-8` : mimeType,
      'content-length': String(bytes),
      'content-disposition': contentDisposition(isImage ? 'inline' : 'attachment', filename),
      'content-security-policy': "sandbox; default-src 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, max-age=3600',
      vary: 'cookie, authorization, x-api-key',
    },
  })
}

/** Removes a file; messages that carry it keep its name. Throws not_found, and forbidden where it is someone else's. */
export async function deleteFile(actor: Actor, fileId: string): Promise<void> {
  const row = await db().file.findFirst({
    where: { AND: [named(fileId), visibleTo(actor)] },
    include: withCopies,
  })
  if (!row) throw missing()
  const { id, projectId, copies } = row
  const { count } = await db().file.deleteMany({ where: { id, userId: actor.userId } })
  if (count === 0) throw new AppError('forbidden', 'Only who uploaded a file can delete it.')
  await removeContent(id)
  if (copies.length > 0) void removeAtProvider(actor, projectId, copies)
}

/** Nobody waits for this: it is gone here. */
async function removeAtProvider(
  actor: Actor,
  projectId: string | null,
  copies: FileRow['copies'],
): Promise<void> {
  const want = { projectId, provider: 'openai' as const }
  await withCredential(actor, want, (key) => removeCopies(key, copies)).catch((err: unknown) =>
    log().warn({ err }, 'a file was not deleted at OpenAI'),
  )
}
