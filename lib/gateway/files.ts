import type { Actor } from '../auth'
import { type ListRemoteFiles, RemoteFileId } from '../contracts/gateway'
import { AppError } from '../errors'
import type { Forwarded } from '../providers'
import { remember } from '../remember'
import { type LentKey, withCredential } from '../vault'
import { callFiles, removeFile, withMaker } from './file-call'
import { PassingForm } from './file-form'
import {
  deleteFileRow,
  fileIdOf,
  findFileRows,
  getFileRow,
  insertFile,
  type RemoteFile,
  requireFileRoom,
  updateFileRow,
} from './file-rows'
import { passHeaders } from './headers'
import { callOnce, type Print } from './once'
import { readRefused } from './refused'
import { digestOf } from './replay-rows'
import { noKey } from './targets'
import { readAnswer } from './whole'

/** What a server may say of one file: ten times what OpenAI does. */
const maxObjectBytes = 4096
/** Uploads of one user at a time. */
const maxUploads = 32

/**
 * Passes an upload of 512 MB at most on, byte for byte, to the server that the actor's key leads to, and its answer back.
 * Whose the file is, is written down before; where that fails, it is deleted again. One that comes again with its
 * `Idempotency-Key` makes no second file.
 * Throws unsupported_media_type, too_large, too_many_requests, storage_full, invalid_input, conflict, provider_auth,
 * provider_failed, provider_timeout.
 */
export async function createFile(actor: Actor, request: Request): Promise<Response> {
  const form = new PassingForm(request)
  const leave = takeSeat(actor)
  try {
    const given = request.headers.get('idempotency-key')
    return await (given === null
      ? upload(actor, { request, form })
      : uploadOnce(actor, given, { request, form }))
  } finally {
    leave()
    form.leave()
  }
}

type Upload = { request: Request; form: PassingForm }

async function uploadOnce(actor: Actor, given: string, { request, form }: Upload): Promise<Response> {
  const print = form.openPrint()
  const { url, headers } = request
  const held = new Request(url, { headers, signal: holdOnceSent(request.signal, print) })
  const { response } = await callOnce(actor, given, {
    print: ofFiles(print),
    answer: async () => ({ response: await upload(actor, { request: held, form }), isWhole: () => true }),
  })
  // It is kept once it is read, and its reader may have left.
  return new Response(await response.arrayBuffer(), response)
}

/** Other calls have keys, too. */
function ofFiles(print: Print): Print {
  const path = '/files'
  return {
    known: () => {
      const hash = print.known()
      return hash && digestOf(path, hash)
    },
    read: async () => digestOf(path, await print.read()),
  }
}

/** Once all is sent, a file may be made: who leaves then asks again, and has to be told of it. */
function holdOnceSent(gone: AbortSignal, print: Print): AbortSignal {
  const left = new AbortController()
  const leave = () => {
    if (print.known() === null) left.abort(gone.reason)
  }
  if (gone.aborted) leave()
  else gone.addEventListener('abort', leave, { once: true })
  return left.signal
}

async function upload(actor: Actor, { request, form }: Upload): Promise<Response> {
  await requireFileRoom(actor)
  const want = { projectId: actor.boundTo, provider: 'auto' as const }
  return withCredential(actor, want, (key) => sendFile(actor, key, { request, form }))
}

async function sendFile(actor: Actor, key: LentKey, { request, form }: Upload): Promise<Response> {
  if (key.provider === 'demo') throw noKey()
  const answer = await callFiles(actor, key, {
    request,
    method: 'POST',
    path: '/files',
    headers: { 'content-type': form.contentType },
    body: { bytes: form.bytes, pieces: () => form.pieces(), isOnce: true },
  })
  if (answer.status >= 400) return (await readRefused(key, answer)).tell()
  const { text, value } = await readAnswer(answer, maxObjectBytes)
  const file = toRemoteFile(text, value)
  try {
    await insertFile(actor, key, file)
  } catch (error) {
    await removeFile(key, file.id)
    throw error
  }
  return told(answer, text)
}

function toRemoteFile(text: string, value: unknown): RemoteFile {
  const said = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const id = RemoteFileId.safeParse(said.id)
  if (id.success) return { id: id.data, purpose: String(said.purpose ?? '').slice(0, 64), text }
  throw new AppError('provider_failed', 'The model server took a file and did not say its id.')
}

/** The actor's files, as OpenAI lists them. Throws invalid_input for an `after` that is none of them. */
export async function listFiles(actor: Actor, page: ListRemoteFiles): Promise<Response> {
  const { shown, hasMore } = await findFileRows(actor, page)
  const objects = shown.map(({ object }) => object).join()
  const [first = null, last = null] = [shown[0], shown.at(-1)].map((row) => row && fileIdOf(row))
  const ends = { first_id: first, last_id: last, has_more: hasMore }
  const text = `{"object":"list","data":[${objects}],${JSON.stringify(ends).slice(1)}`
  return new Response(text, { headers: { 'content-type': 'application/json' } })
}

/** What the server of a file of the actor's says of it now. Throws not_found, provider_auth, and as any call. */
export async function getFile(actor: Actor, fileId: string, request: Request): Promise<Response> {
  const row = await getFileRow(actor, fileId)
  return withMaker(actor, row, async (key) => {
    const answer = await callFiles(actor, key, { request, method: 'GET', path: `/files/${fileId}` })
    if (answer.status >= 400) return (await readRefused(key, answer)).tell()
    const { text } = await readAnswer(answer, maxObjectBytes)
    await updateFileRow(row, text)
    return told(answer, text)
  })
}

/** Deletes a file of the actor's where it lies, and here once it is gone there. Throws as `getFile`. */
export async function deleteFile(actor: Actor, fileId: string, request: Request): Promise<Response> {
  const row = await getFileRow(actor, fileId)
  return withMaker(actor, row, async (key) => {
    const answer = await callFiles(actor, key, { request, method: 'DELETE', path: `/files/${fileId}` })
    if (answer.status === 404) await deleteFileRow(row)
    if (answer.status >= 400) return (await readRefused(key, answer)).tell()
    const { text, value } = await readAnswer(answer, maxObjectBytes)
    const isGone = typeof value === 'object' && value !== null && 'deleted' in value && value.deleted === true
    if (isGone) await deleteFileRow(row)
    return told(answer, text)
  })
}

/** What is in a file of the actor's, as its server sends it. No browser shows it as a page. Throws as `getFile`. */
export async function getFileContent(actor: Actor, fileId: string, request: Request): Promise<Response> {
  const row = await getFileRow(actor, fileId)
  return withMaker(actor, row, async (key) => {
    const answer = await callFiles(actor, key, { request, method: 'GET', path: `/files/${fileId}/content` })
    if (answer.status >= 400) return (await readRefused(key, answer)).tell()
    const headers = contentHeaders(answer)
    if (request.method !== 'HEAD') return new Response(answer.body, { headers })
    await answer.body.cancel()
    return new Response(null, { headers })
  })
}

function contentHeaders(answer: Forwarded): Headers {
  const headers = passHeaders(answer.headers)
  if (!headers.has('content-disposition')) headers.set('content-disposition', 'attachment')
  headers.set('content-security-policy', "sandbox; default-src 'none'")
  return headers
}

const seats = () => remember('gateway.uploads', () => new Map<string, number>())

function takeSeat({ userId }: Actor): () => void {
  const taken = seats().get(userId) ?? 0
  if (taken >= maxUploads) {
    const message = `You are uploading ${maxUploads} files already. Wait until one of them is there.`
    throw new AppError('too_many_requests', message, { retryAfterSeconds: 2 })
  }
  seats().set(userId, taken + 1)
  return () => {
    const left = (seats().get(userId) ?? 1) - 1
    if (left > 0) seats().set(userId, left)
    else seats().delete(userId)
  }
}

function told({ status, headers: given }: Forwarded, text: string): Response {
  const headers = passHeaders(given)
  headers.set('content-type', 'application/json')
  return new Response(text, { status, headers })
}
