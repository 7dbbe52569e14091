import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { Busboy, type BusboyInstance } from '@fastify/busboy'
import { AppError } from '../errors'
import { type BodyReader, ignoreRest } from './ignored'

/** A file on its way in: its name as the sender gave it, and what it holds, to be read to the end. */
export type IncomingFile = { filename: string; content: AsyncIterable<Buffer> }

/** What becomes of the file: `take` reads it, and `drop` undoes that where the form turns out to be faulty. */
export type FileTaker<T> = {
  take: (file: IncomingFile) => Promise<T>
  drop: (taken: T) => Promise<void>
}

/** What one form may hold besides its one file. */
const limits = {
  files: 1,
  fields: 10,
  parts: 12,
  fieldNameSize: 64,
  fieldSize: 1000,
  headerPairs: 20,
  headerSize: 8192,
}

/**
 * Reads a form with exactly one file, in the field `file`, as it comes: what `take` has not read is not fetched.
 * Returns what `take` made of the file, and the other fields. Throws unsupported_media_type, invalid_input, and what
 * `take` throws.
 */
export async function readForm<T>(
  request: Request,
  taker: FileTaker<T>,
): Promise<{ fields: Record<string, string>; file: T }> {
  const parser = openParser(request.headers.get('content-type') ?? '')
  const reader: BodyReader | undefined = request.body?.getReader()
  if (!reader) throw noFile()
  const form = new Form(parser, taker.take)
  try {
    await Promise.race([pump(reader, parser, form), form.refused])
    return await form.result()
  } catch (error) {
    void ignoreRest(reader)
    const taken = await form.abandon(error)
    if (taken) await taker.drop(taken.value)
    throw error
  }
}

function openParser(contentType: string): BusboyInstance {
  const isForm = /^multipart\/form-data\s*;/i.test(contentType)
  if (isForm) {
    try {
      return new Busboy({ headers: { 'content-type': contentType }, limits })
    } catch {
      // No boundary, or one that cannot be read.
    }
  }
  throw new AppError(
    'unsupported_media_type',
    'Send a form, with content-type: multipart/form-data; boundary=….',
  )
}

/**
 * Feeds the form chunk by chunk, each when the last one was taken. Nothing here races against a promise that lasts: it
 * would keep every chunk until the end.
 */
async function pump<T>(reader: BodyReader, parser: BusboyInstance, form: Form<T>): Promise<void> {
  const finished = once(parser, 'finish')
  finished.catch(() => undefined)
  for (;;) {
    const { done, value } = await reader.read().catch(brokenOff)
    if (form.isRefused) return
    if (done) break
    if (!parser.write(value)) await form.untilReady()
  }
  parser.end()
  await finished.catch(brokenOff)
}

function brokenOff(cause: unknown): never {
  throw new AppError('invalid_input', 'The form ended too early, or is damaged.', { cause })
}

class Form<T> {
  /** Rejects as soon as the form cannot be taken any more. */
  readonly refused: Promise<never>
  readonly #fields: Record<string, string> = {}
  isRefused = false
  #reject: (reason: unknown) => void = () => undefined
  #wake: () => void = () => undefined
  #content: Readable | null = null
  #file: Promise<T> | null = null

  constructor(parser: BusboyInstance, take: (file: IncomingFile) => Promise<T>) {
    this.refused = new Promise((_, reject) => {
      this.#reject = reject
    })
    this.refused.catch(() => undefined)
    parser.on('drain', () => this.#wake())
    const refuse = (message: string) => this.#refuse(new AppError('invalid_input', message))
    parser.on('error', (error) =>
      this.#refuse(new AppError('invalid_input', 'The form is damaged.', { cause: error })),
    )
    parser.on('filesLimit', () => refuse('Send one file at a time.'))
    parser.on('fieldsLimit', () => refuse('The form has too many fields.'))
    parser.on('partsLimit', () => refuse('The form has too many parts.'))
    parser.on('field', (name, value, _isNameCut, isCut) => {
      if (isCut) refuse('A field of the form is too long.')
      else if (Object.hasOwn(this.#fields, name)) refuse('A field of the form is there twice.')
      else Object.defineProperty(this.#fields, name, { value, enumerable: true })
    })
    parser.on('file', (name, content, filename) => {
      content.on('error', () => undefined)
      this.#content = content
      if (name !== 'file') return refuse('Send the file in the field "file".')
      this.#file = take({ filename: filename ?? '', content })
      this.#file.catch((error: unknown) => this.#refuse(error))
    })
  }

  /** Until more can be written, or nothing is wanted any more. */
  untilReady(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      if (this.isRefused) resolve()
    })
  }

  #refuse(reason: unknown): void {
    this.isRefused = true
    this.#reject(reason)
    this.#wake()
  }

  /** Once all was fed. */
  async result(): Promise<{ fields: Record<string, string>; file: T }> {
    if (!this.#file) throw noFile()
    return { fields: this.#fields, file: await Promise.race([this.#file, this.refused]) }
  }

  /** Ends the reading of the file. Returns what was made of it all the same. */
  async abandon(reason: unknown): Promise<{ value: T } | null> {
    this.#content?.destroy(reason instanceof Error ? reason : new Error('The form was refused.'))
    return this.#file?.then((value) => ({ value })).catch(() => null) ?? null
  }
}

function noFile(): AppError {
  const message = 'Send a file in the field "file".'
  return new AppError('invalid_input', `file: ${message}`, { issues: [{ path: 'file', message }] })
}
