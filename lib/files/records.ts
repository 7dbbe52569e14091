import { type Actor, membershipOf } from '../auth'
import type { FileRecord } from '../contracts/files'
import { Id } from '../contracts/primitives'
import type { Prisma } from '../db'
import { AppError } from '../errors'

/** Files that the actor may read: own ones, and those shared with a project of the actor's; within the key's reach. */
export function visibleTo(actor: Actor) {
  const { userId, boundTo } = actor
  return {
    AND: [
      boundTo === null ? {} : { projectId: boundTo },
      { OR: [{ userId }, { shared: true, project: { members: { some: membershipOf(actor) } } }] },
    ],
  } satisfies Prisma.FileWhereInput
}

/** The file that an id names, ours or OpenAI's. */
export function named(fileId: string) {
  return Id.safeParse(fileId).success
    ? { id: fileId.toLowerCase() }
    : { copies: { some: { remoteId: fileId } } }
}

/** What is read with every file: the copies at OpenAI, the first one first. */
export const withCopies = {
  copies: { orderBy: { createdAt: 'asc' }, select: { remoteId: true, account: true } },
} satisfies Prisma.FileInclude

/** A file with its copies. */
export type FileRow = Prisma.FileGetPayload<{ include: typeof withCopies }>

/** A file as the contract shows it. */
export function toFileRecord(row: FileRow): FileRecord {
  return {
    id: row.id,
    file_id: row.copies[0]?.remoteId ?? row.id,
    filename: row.filename,
    mime_type: row.mimeType,
    bytes: row.bytes,
    purpose: row.purpose,
    project_id: row.projectId,
    created_at: row.createdAt.toISOString(),
  }
}

/** The answer for a file that is not there, or not the caller's. */
export function missing(): AppError {
  return new AppError('not_found', 'This file is not there, or not shared with you.')
}
