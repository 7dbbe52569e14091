import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { maxFileBytes } from '../contracts/limits'
import { AppError } from '../errors'
import type { IncomingFile } from '../http'
import { diskFull, newPlace, requireDisk, syncFolder } from './folder'
import { Sniffer } from './kinds'
import { cleanFilename } from './names'

/** A file whose content is on the disk, whole and under its final name, and which has no row yet. */
export type TakenFile = { id: string; filename: string; mimeType: string; bytes: number }

/** The disk is looked at again after so much. */
const lookEveryBytes = 8 * 1024 * 1024

/**
 * Writes a file as it comes, at most 50 MB, and syncs it; on any fault nothing of it stays.
 * Throws too_large, unsupported_media_type, invalid_input where it is empty, storage_full.
 */
export async function takeFile({ filename: given, content }: IncomingFile): Promise<TakenFile> {
  const filename = cleanFilename(given)
  const { id, path, partPath } = newPlace()
  try {
    const { bytes, mimeType } = await writeWhole(partPath, content, filename)
    await rename(partPath, path)
    await syncFolder()
    return { id, filename, mimeType, bytes }
  } catch (error) {
    await rm(partPath, { force: true })
    if (isFull(error)) throw diskFull(error)
    throw error
  }
}

async function writeWhole(path: string, content: AsyncIterable<Buffer>, filename: string) {
  const handle = await open(path, 'wx', 0o600)
  try {
    const sniffer = new Sniffer()
    const bytes = await writeChunks(handle, content, sniffer)
    if (bytes === 0) throw new AppError('invalid_input', 'This file is empty.')
    const mimeType = sniffer.mimeType(filename)
    await handle.sync()
    return { bytes, mimeType }
  } finally {
    await handle.close()
  }
}

async function writeChunks(
  handle: FileHandle,
  content: AsyncIterable<Buffer>,
  sniffer: Sniffer,
): Promise<number> {
  let bytes = 0
  let nextLookAt = 0
  for await (const chunk of content) {
    bytes += chunk.length
    if (bytes > maxFileBytes) throw tooLarge()
    if (bytes >= nextLookAt) {
      await requireDisk(lookEveryBytes)
      nextLookAt += lookEveryBytes
    }
    sniffer.see(chunk)
    await writeAll(handle, chunk)
  }
  return bytes
}

/** One write may take less than it was given. */
async function writeAll(handle: FileHandle, chunk: Buffer): Promise<void> {
  for (let rest = chunk; rest.length > 0; ) {
    const { bytesWritten } = await handle.write(rest)
    rest = rest.subarray(bytesWritten)
  }
}

/** The answer to a file that is too large. */
export function tooLarge(): AppError {
  const facts = { max_bytes: maxFileBytes }
  return new AppError('too_large', 'A file can have 50 MB at most.', { facts })
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}
