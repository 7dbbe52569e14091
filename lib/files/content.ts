import { type FileHandle, open, readFile, stat } from 'node:fs/promises'
import { AppError } from '../errors'
import { pathOf } from './folder'

const chunkBytes = 64 * 1024

/** The content as it lies on the disk, read as fast as it is taken. Throws unavailable where it is not there. */
export async function streamContent(fileId: string): Promise<ReadableStream<Uint8Array>> {
  await stat(pathOf(fileId)).catch(elsewhere)
  // Not before the first read: an answer to HEAD is never read.
  let handle: FileHandle | null = null
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        handle ??= await openContent(fileId)
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes)
        if (bytesRead > 0) return controller.enqueue(buffer.subarray(0, bytesRead))
        await handle.close()
        controller.close()
      },
      cancel: () => handle?.close(),
    },
    { highWaterMark: 0 },
  )
}

async function openContent(fileId: string): Promise<FileHandle> {
  return open(pathOf(fileId), 'r').catch(elsewhere)
}

/** All of the content at once, for who knows that it is small. Throws unavailable where it is not there. */
export async function readContent(fileId: string): Promise<Buffer> {
  return readFile(pathOf(fileId)).catch(elsewhere)
}

/** The first bytes of the content. Throws unavailable where it is not there. */
export async function readBeginning(fileId: string, maxBytes: number): Promise<Buffer> {
  const handle = await openContent(fileId)
  try {
    const buffer = Buffer.alloc(maxBytes)
    const { bytesRead } = await handle.read(buffer, 0, maxBytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

function elsewhere(cause: unknown): never {
  const message =
    'The content of this file is not on this server. It may be on another one, or have been removed.'
  throw new AppError('unavailable', message, { cause })
}
