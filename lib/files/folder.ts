import { mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { v7 as newId } from 'uuid'
import { Id } from '../contracts/primitives'
import { db } from '../db'
import { env } from '../env'
import { AppError } from '../errors'
import { log } from '../log'

/** So much of the disk is left alone, for the database and its log. */
const reservedBytes = 128 * 1024 * 1024
/** An upload ends within ten minutes, and its row is there a moment later; what is older and has none was left behind. */
const strayAfterMs = 1_200_000
const batch = 500
const ending = '.part'

const folder = () => join(env().DATA_DIR, 'files')

/** Where the content of a file lies. */
export function pathOf(fileId: string): string {
  return join(folder(), fileId)
}

/** A new id, and where its content is written until it is whole. */
export function newPlace(): { id: string; path: string; partPath: string } {
  const id = newId()
  return { id, path: pathOf(id), partPath: `${pathOf(id)}${ending}` }
}

/** Makes the folder, for this account of the machine alone. */
export async function prepareFolder(): Promise<void> {
  await mkdir(folder(), { recursive: true, mode: 0o700 })
}

/** Has the folder's entries outlast a power cut. */
export async function syncFolder(): Promise<void> {
  const handle = await open(folder(), 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Throws storage_full where the disk would be left with no more than a reserve. */
export async function requireDisk(bytes: number): Promise<void> {
  const disk = await statfs(folder()).catch(() => null)
  if (disk && disk.bavail * disk.bsize < bytes + reservedBytes) throw diskFull()
}

/** The answer to who uploads to a full disk. */
export function diskFull(cause?: unknown): AppError {
  return new AppError('storage_full', 'The disk of the server is full, so this file was not saved.', {
    cause,
  })
}

/** Removes the content of a file; that there is none is no error. */
export async function removeContent(fileId: string): Promise<void> {
  await rm(pathOf(fileId), { force: true })
}

/** Removes what a crash, or the deletion of an account or a project, has left without a row. Returns how many. */
export async function sweepStrays(now = Date.now()): Promise<number> {
  const names = await readdir(folder())
  let removed = 0
  for (let begin = 0; begin < names.length; begin += batch) {
    for (const name of await findStrays(names.slice(begin, begin + batch))) {
      const path = join(folder(), name)
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now }))
      if (now - mtimeMs < strayAfterMs) continue
      await rm(path, { force: true })
      removed += 1
    }
  }
  if (removed > 0) log().info({ removed }, 'files that belong to nothing were removed')
  return removed
}

/** Of these names, those of uploads that were not finished and of files without a row; what is not ours is let be. */
async function findStrays(names: string[]): Promise<string[]> {
  const parts = names.filter((name) => name.endsWith(ending))
  const ids = names.filter((name) => Id.safeParse(name).success)
  const rows = await db().file.findMany({ where: { id: { in: ids } }, select: { id: true } })
  const known = new Set(rows.map(({ id }) => id))
  return [...parts, ...ids.filter((id) => !known.has(id))]
}
