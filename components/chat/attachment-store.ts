import type { FilePart } from '@/lib/contracts/conversations'
import type { FileRecord } from '@/lib/contracts/files'
import { maxFileBytes, maxMessageFiles } from '@/lib/contracts/limits'
import { asRequestError } from '../ui/request'
import { sendFile } from './file-upload'

/** A file in the composer: on its way, there, or refused with the reason. */
export type Attachment = {
  key: string
  name: string
  bytes: number
  /** An image that is not uploaded yet, or is. */
  preview: string | null
} & (
  | { state: 'waiting' | 'uploading'; progress: number }
  | { state: 'ready'; part: FilePart }
  | { state: 'failed'; problem: string }
)

/** More at a time would only share the same line. */
const maxParallel = 3

const isImage = (mimeType: string) => /^image\/(png|jpeg|gif|webp)$/.test(mimeType)

/** Where a browser gets the content of a file. */
export function contentUrl(fileId: string): string {
  return `/api/files/${fileId}/content`
}

function toPart({ id, filename, mime_type, bytes }: FileRecord): FilePart {
  return { type: 'file', file_id: id, filename, mime_type, bytes }
}

function toAttachment(part: FilePart): Attachment {
  const preview = isImage(part.mime_type) ? contentUrl(part.file_id) : null
  return { key: part.file_id, name: part.filename, bytes: part.bytes, preview, state: 'ready', part }
}

/** The files of one composer. They are uploaded as soon as they are added. */
export class AttachmentStore {
  readonly #agentId: string
  readonly #keep: (parts: FilePart[]) => void
  readonly #listeners = new Set<() => void>()
  readonly #sources = new Map<string, { file: File; gone: AbortController }>()
  #items: readonly Attachment[] = []
  #nextKey = 0

  /** `keep` is told what is uploaded, whenever that changes. */
  constructor(agentId: string, keep: (parts: FilePart[]) => void) {
    this.#agentId = agentId
    this.#keep = keep
  }

  readonly get = (): readonly Attachment[] => this.#items

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes files in; what is too large or too many is there, too, and says so. */
  add(files: Iterable<File>): void {
    for (const file of files) {
      const key = `new-${this.#nextKey++}`
      const { name, size: bytes } = file
      const preview = isImage(file.type) ? URL.createObjectURL(file) : null
      const begun = { key, name: name || 'file', bytes, preview }
      this.#sources.set(key, { file, gone: new AbortController() })
      const problem = this.#refusal(file)
      this.#change([
        ...this.#items,
        problem ? { ...begun, state: 'failed', problem } : { ...begun, state: 'waiting', progress: 0 },
      ])
    }
    this.#pump()
  }

  /** Puts uploaded files back: those of a draft, or of a message that was not sent. */
  put(parts: readonly FilePart[]): void {
    const known = new Set(this.uploaded().map(({ file_id }) => file_id))
    this.#change([...this.#items, ...parts.filter(({ file_id }) => !known.has(file_id)).map(toAttachment)])
  }

  remove(key: string): void {
    this.#forget(key)
    this.#change(this.#items.filter((item) => item.key !== key))
    this.#pump()
  }

  retry(key: string): void {
    this.#set(key, (item) => ({ ...item, state: 'waiting', progress: 0 }))
    this.#pump()
  }

  /** The files that can be sent; the composer has none afterwards. */
  take(): FilePart[] {
    const parts = this.uploaded()
    for (const { key } of this.#items) this.#forget(key)
    this.#change([])
    return parts
  }

  uploaded(): FilePart[] {
    return this.#items.flatMap((item) => (item.state === 'ready' ? [item.part] : []))
  }

  #refusal(file: File): string | null {
    if (file.size > maxFileBytes) return 'A file can have 50 MB at most.'
    if (file.size === 0) return 'This file is empty.'
    if (this.#items.length >= maxMessageFiles) return `A message takes ${maxMessageFiles} files at most.`
    return null
  }

  #pump(): void {
    const running = this.#items.filter(({ state }) => state === 'uploading').length
    const next = this.#items.filter(({ state }) => state === 'waiting').slice(0, maxParallel - running)
    for (const { key } of next) void this.#upload(key)
  }

  async #upload(key: string): Promise<void> {
    const source = this.#sources.get(key)
    if (!source) return
    const show = (progress: number) => this.#set(key, (item) => ({ ...item, state: 'uploading', progress }))
    show(0)
    try {
      const { signal } = source.gone
      const part = toPart(await sendFile(source.file, { agentId: this.#agentId, onProgress: show, signal }))
      this.#set(key, (item) => ({ ...item, name: part.filename, state: 'ready', part }))
    } catch (error) {
      const problem = asRequestError(error).message
      this.#set(key, (item) => ({ ...item, state: 'failed', problem }))
    }
    this.#pump()
  }

  #forget(key: string): void {
    this.#sources.get(key)?.gone.abort()
    this.#sources.delete(key)
    const preview = this.#items.find((item) => item.key === key)?.preview
    if (preview?.startsWith('blob:')) URL.revokeObjectURL(preview)
  }

  #set(key: string, change: (item: Attachment) => Attachment): void {
    this.#change(this.#items.map((item) => (item.key === key ? change(item) : item)))
  }

  #change(items: readonly Attachment[]): void {
    this.#items = items
    this.#keep(this.uploaded())
    for (const listener of this.#listeners) listener()
  }
}
