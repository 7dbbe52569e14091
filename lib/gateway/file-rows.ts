import type { Actor } from '../auth'
import { type ListRemoteFiles, RemoteFileId } from '../contracts/gateway'
import { db, requireRoom, sql } from '../db'
import { AppError } from '../errors'
import type { LentKey } from '../vault'
import { isSamePlace, type Maker } from './keyholder'

/** So many files somebody may have at model servers. */
const maxFiles = 20_000

/** A file at a model server, as it is known here. */
export type FileRow = Maker & {
  /** With the owner, as `rowIdOf` has it. */
  id: string
  /** The file object as the server wrote it. */
  object: string
}

/** What the server said of a file. */
export type RemoteFile = { id: string; purpose: string; text: string }

/**
 * Servers count their files each for itself, so a row is named by its owner, too: the user, and the project that the
 * key is bound to. What somebody's own server calls its files is in nobody else's way.
 */
function rowIdOf({ userId, boundTo }: Actor, fileId: string): string {
  return `${fileId}@${userId}${boundTo === null ? '' : `/${boundTo}`}`
}

/** What the server calls the file of a row. */
export function fileIdOf({ id }: { id: string }): string {
  return id.slice(0, id.indexOf('@'))
}

/** What a key made that is bound to a project, no key of another project reaches. */
const ownedBy = ({ userId, boundTo }: Actor) => ({ userId, ...(boundTo !== null && { projectId: boundTo }) })

/** Before a file is sent. Throws invalid_input for who has as many as can be, storage_full. */
export async function requireFileRoom(actor: Actor): Promise<void> {
  await requireRoom()
  if ((await db().gatewayFile.count({ where: { userId: actor.userId } })) < maxFiles) return
  throw new AppError('invalid_input', `You have ${maxFiles} files already. Delete some, then try again.`)
}

/** Writes down whose a file is. Throws provider_failed where the server has called another of the actor's files so. */
export async function insertFile(actor: Actor, key: LentKey, file: RemoteFile): Promise<void> {
  const id = rowIdOf(actor, file.id)
  const { provider, source, credentialId, baseUrl } = key
  const known = await db().gatewayFile.findUnique({ where: { id } })
  if (known && !isSamePlace(known, key)) {
    throw new AppError('provider_failed', 'The model server gave the file an id that another of yours has.')
  }
  const said = { purpose: file.purpose, object: file.text, createdAt: new Date() }
  const row = {
    userId: actor.userId,
    projectId: actor.boundTo,
    provider,
    source,
    credentialId,
    baseUrl,
    ...said,
  }
  await db().gatewayFile.upsert({ where: { id }, create: { id, ...row }, update: row })
}

/** A file of the actor's. Throws not_found, in OpenAI's words. */
export async function getFileRow(actor: Actor, fileId: string): Promise<FileRow> {
  const row = await findRow(actor, fileId)
  if (!row) throw noFile(fileId, 'id')
  return row
}

async function findRow(actor: Actor, fileId: string) {
  const row = await db().gatewayFile.findUnique({ where: { id: rowIdOf(actor, fileId) } })
  if (row || actor.boundTo !== null) return row
  // One that was made with a key that is bound to a project.
  const [made] = await sql<{ id: string }>`
    SELECT id FROM gateway_files WHERE user_id = ${actor.userId}::uuid AND split_part(id, '@', 1) = ${fileId}
    ORDER BY created_at DESC LIMIT 1`
  return made ? db().gatewayFile.findUnique({ where: { id: made.id } }) : null
}

/** What a server says of a file now. */
export async function updateFileRow({ id, object }: FileRow, text: string): Promise<void> {
  if (object !== text) await db().gatewayFile.updateMany({ where: { id }, data: { object: text } })
}

/** Forgets a file. */
export async function deleteFileRow({ id }: FileRow): Promise<void> {
  await db().gatewayFile.deleteMany({ where: { id } })
}

/** The actor's files, as their servers wrote them. Throws invalid_input for a place that is none of them. */
export async function findFileRows(actor: Actor, page: ListRemoteFiles) {
  await forgetExpired(actor)
  const { purpose, order, limit } = page
  const place = page.after === undefined ? {} : await findPlace(actor, page.after, order)
  const rows = await db().gatewayFile.findMany({
    where: { AND: [{ ...ownedBy(actor), ...(purpose !== undefined && { purpose }) }, place] },
    select: { id: true, object: true },
    orderBy: [{ createdAt: order }, { id: order }],
    take: limit + 1,
  })
  return { shown: rows.slice(0, limit), hasMore: rows.length > limit }
}

async function findPlace(actor: Actor, after: string, order: 'asc' | 'desc') {
  const row = await findRow(actor, after)
  if (!row) throw new AppError('invalid_input', sayNone(after), { issues: [{ path: 'after', message: '' }] })
  const { createdAt, id } = row
  const beyond = order === 'asc' ? ('gt' as const) : ('lt' as const)
  return { OR: [{ createdAt: { [beyond]: createdAt } }, { createdAt, id: { [beyond]: id } }] }
}

/** Its server has deleted what was to expire. Read as text: what a server wrote need not be JSON to Postgres. */
async function forgetExpired({ userId }: Actor): Promise<void> {
  await sql`
    DELETE FROM gateway_files WHERE user_id = ${userId}::uuid
      AND substring(object FROM '"expires_at"\\s*:\\s*(\\d{1,12})\\M')::bigint <= extract(epoch FROM now())`
}

/** Which of these ids are files of the actor's that lie where this key leads. */
export async function findOwnFiles(actor: Actor, key: LentKey, fileIds: string[]): Promise<string[]> {
  const ids = fileIds.filter((id) => RemoteFileId.safeParse(id).success)
  const rows = await sql<Maker & { id: string }>`
    SELECT id, provider, source, base_url AS "baseUrl" FROM gateway_files
    WHERE user_id = ${actor.userId}::uuid AND split_part(id, '@', 1) = ANY(${ids}::text[])
      AND (${actor.boundTo}::uuid IS NULL OR project_id = ${actor.boundTo}::uuid)`
  return rows.filter((row) => isSamePlace(row, key)).map(fileIdOf)
}

/** OpenAI's words for a file that is not there, or not the caller's. */
export function noFile(fileId: string, param: string): AppError {
  const message = sayNone(fileId)
  return new AppError('not_found', message, { issues: [{ path: param, message }], facts: { code: null } })
}

/** What may be a key in a wrong place is not repeated. */
function sayNone(fileId: string): string {
  return /^file[\w-]{1,128}$/.test(fileId) ? `No such File object: ${fileId}` : 'No such File object.'
}
