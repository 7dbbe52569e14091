import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { providerError, providerName } from './faults'
import { parseJson, stringAt } from './json'
import type { ModelKey } from './port'
import { fetchWhole } from './whole'

/** A file to be sent; `open` is called once for each try, and read as fast as it is taken. */
export type Upload = {
  filename: string
  mimeType: string
  bytes: number
  purpose: string
  open: () => Readable
}

/** As OpenAI makes them; `.` and `/` in a path would lead elsewhere. */
const safeId = /^file[-_][\w-]{4,120}$/

function pathOfUpload(id: string): string | null {
  return safeId.test(id) ? `/files/${id}` : null
}

const timeouts = { connectMs: 10_000, firstByteMs: 60_000, idleMs: 20_000, totalMs: 90_000 }
const deletionTimeouts = { connectMs: 10_000, firstByteMs: 10_000, idleMs: 10_000, totalMs: 10_000 }

/** Sends a file to the provider's Files API and returns its id there. Throws as a call to a model does. */
export async function uploadToProvider(key: ModelKey, upload: Upload): Promise<string> {
  const boundary = `al-chat-${randomUUID()}`
  const { head, tail } = formAround(upload, boundary)
  const call = {
    key,
    path: '/files',
    method: 'POST' as const,
    body: {
      bytes: head.length + upload.bytes + tail.length,
      pieces: () => inForm(head, upload.open(), tail),
    },
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    accept: 'application/json',
    timeouts,
  }
  const { status, text, explain } = await fetchWhole(call)
  if (status !== 200 && status !== 201) throw explain()
  const id = stringAt(parseJson(text), 'id')
  if (id !== null && pathOfUpload(id) !== null) return id
  throw providerError('provider_failed', `${providerName(key)} took a file and did not say its id.`, {
    remedy: 'retry',
  })
}

function formAround(
  { filename, mimeType, purpose }: Upload,
  boundary: string,
): { head: Buffer; tail: Buffer } {
  // As browsers write it (HTML, multipart form data).
  const name = filename.replaceAll('"', '%22')
  const head = [
    `--${boundary}`,
    'content-disposition: form-data; name="purpose"',
    '',
    purpose,
    `--${boundary}`,
    `content-disposition: form-data; name="file"; filename="${name}"`,
    `content-type: ${mimeType}`,
    '',
    '',
  ].join('\r\n')
  return { head: Buffer.from(head), tail: Buffer.from(`\r\n--${boundary}--\r\n`) }
}

async function* inForm(head: Buffer, content: Readable, tail: Buffer): AsyncGenerator<Buffer> {
  yield head
  yield* content
  yield tail
}

/** Deletes a file at the provider; that it is gone is no error. Throws as a call to a model does. */
export async function deleteUpload(key: ModelKey, fileId: string): Promise<void> {
  const path = pathOfUpload(fileId)
  if (path === null) return
  const call = {
    key,
    path,
    method: 'DELETE' as const,
    accept: 'application/json',
    timeouts: deletionTimeouts,
  }
  const { status, explain } = await fetchWhole(call)
  if (status !== 200 && status !== 404) throw explain()
}
