import { badRequest, notFound } from './errors.ts'
import { type Exchange, send } from './exchange.ts'
import { parseMultipart } from './multipart.ts'
import { paginate } from './page.ts'
import type { Store, StoredFile } from './store.ts'
import type { Body } from './types.ts'
import { encodePretty, makeShortId, nowSeconds } from './wire.ts'

const purposes = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals']

/** What was uploaded for these purposes cannot be downloaded again. */
const oneWay = ['assistants', 'vision', 'user_data']

/** Answers `POST /v1/files`. */
export function uploadFile({ raw, request }: Exchange, store: Store): string {
  const parts = parseMultipart(raw, request.headers['content-type'] ?? '')
  const fields = Object.fromEntries(parts.map((part) => [part.name, part.bytes.toString()]))
  const upload = parts.find((part) => part.name === 'file' && part.filename !== undefined)
  if (upload === undefined) throw badRequest("'file' is a required property", null)
  checkPurpose(fields.purpose)
  const created = nowSeconds()
  const seconds = fields['expires_after[seconds]']
  const file: Body = {
    object: 'file',
    id: makeShortId('file-', 22),
    purpose: fields.purpose,
    filename: upload.filename,
    bytes: upload.bytes.length,
    created_at: created,
    expires_at: seconds === undefined ? null : created + Number(seconds),
    status: 'processed',
    status_details: null,
  }
  store.files.set(String(file.id), { file, bytes: upload.bytes })
  return `${encodePretty(file)}\n`
}

function checkPurpose(purpose: string | undefined): void {
  if (purpose === undefined) throw badRequest("'purpose' is a required property", null)
  if (purposes.includes(purpose)) return
  const list = purposes.map((each) => `'${each}'`).join(', ')
  throw badRequest(`'${purpose}' is not one of [${list}] - 'purpose'`, 'purpose')
}

function findFile(store: Store, id: string): StoredFile {
  const stored = store.files.get(id)
  if (stored === undefined) throw notFound(`No such File object: ${id}`, 'id')
  return stored
}

/** Answers `GET /v1/files`, a page, newest first unless `order=asc`. */
export function listFiles({ query }: Exchange, store: Store): string {
  const purpose = query.get('purpose')
  const files = [...store.files.values()].map(({ file }) => file)
  const wanted = files.filter((file) => purpose === null || file.purpose === purpose)
  return encodePretty(paginate(query, wanted, 10_000))
}

/** Answers `GET /v1/files/{id}`. */
export function getFile(_exchange: Exchange, store: Store, id: string): string {
  return `${encodePretty(findFile(store, id).file)}\n`
}

/** Answers `DELETE /v1/files/{id}`. */
export function deleteFile(_exchange: Exchange, store: Store, id: string): string {
  findFile(store, id)
  store.files.delete(id)
  return encodePretty({ object: 'file', id, deleted: true })
}

/** Answers `GET /v1/files/{id}/content` with the bytes. */
export function getFileContent(exchange: Exchange, store: Store, id: string): undefined {
  const { file, bytes } = findFile(store, id)
  if (oneWay.includes(String(file.purpose))) {
    throw badRequest(`Not allowed to download files of purpose: ${file.purpose}`, null)
  }
  exchange.response.setHeader('content-disposition', `attachment; filename="${file.filename}"`)
  send(exchange, bytes, 'application/octet-stream')
}
