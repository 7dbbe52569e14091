import { AppError } from '../errors'
import { type BodyReader, ignoreRest } from '../http'
import { FormHash } from './form-hash'
import type { Print } from './once'

/** What OpenAI takes in one upload. */
const maxFileBytes = 512 * 1024 * 1024
/** What a form has around its file. */
const formBytes = 64 * 1024
const maxFormBytes = maxFileBytes + formBytes
const maxTypeLength = 300
/** The longest silence of who uploads. */
const patienceMs = 60_000

/** A form on its way through: nobody takes it apart, and no more of it is in memory than is on its way. */
export class PassingForm {
  /** With the boundary in it. */
  readonly contentType: string
  /** How long it is; null where its sender did not say. */
  readonly bytes: number | null
  readonly #reader: BodyReader
  #hash: FormHash | null = null
  #size = 0
  #isRead = false
  #isStalled = false

  /** Throws unsupported_media_type for what is no form, too_large, invalid_input. */
  constructor({ headers, body }: Request) {
    this.contentType = headers.get('content-type') ?? ''
    const isForm = /^multipart\/form-data\s*;.*\bboundary=/i.test(this.contentType)
    if (!isForm || this.contentType.length > maxTypeLength) {
      const message = 'Send a form, with content-type: multipart/form-data; boundary=….'
      throw new AppError('unsupported_media_type', message)
    }
    const declared = headers.get('content-length')
    this.bytes = declared === null ? null : Number(declared)
    if (this.bytes !== null && this.bytes > maxFormBytes) throw tooLarge()
    if (!body) throw new AppError('invalid_input', 'Send a file in the field "file".')
    this.#reader = body.getReader()
  }

  /**
   * The form as it comes, or what nobody has taken of it yet. Throws too_large, and invalid_input where it breaks off or
   * falls silent for 60 s.
   */
  async *pieces(): AsyncGenerator<Uint8Array> {
    for (let piece = await this.#read(); piece; piece = await this.#read()) yield piece
  }

  /** Notes from its first piece on which form it is. */
  openPrint(): Print {
    const hash = new FormHash(this.contentType)
    this.#hash = hash
    return { known: () => hash.known, read: () => this.#readPrint(hash) }
  }

  /** Reads on as long as it is open which form it is. Throws as `pieces`. */
  async #readPrint(hash: FormHash): Promise<Buffer> {
    while (!hash.known && (await this.#read()));
    return hash.known ?? hash.finish()
  }

  /** Nobody takes more of it. What is left is let go, so that its sender gets to read the answer. */
  leave(): void {
    if (!this.#isRead) void ignoreRest(this.#reader)
  }

  async #read(): Promise<Uint8Array | null> {
    const silence = setTimeout(() => this.#giveUp(), patienceMs).unref()
    try {
      const { done, value } = await this.#reader.read().catch(brokenOff)
      if (this.#isStalled) throw new AppError('invalid_input', 'Nothing of the upload came for a minute.')
      this.#isRead = done
      if (done) this.#hash?.finish()
      else this.#take(value)
      return done ? null : value
    } finally {
      clearTimeout(silence)
    }
  }

  #take(piece: Uint8Array): void {
    this.#size += piece.byteLength
    if (this.#size > maxFormBytes) throw tooLarge()
    this.#hash?.update(piece)
  }

  #giveUp(): void {
    this.#isStalled = true
    void this.#reader.cancel().catch(() => undefined)
  }
}

function brokenOff(cause: unknown): never {
  throw new AppError('invalid_input', 'The upload ended too early.', { cause })
}

function tooLarge(): AppError {
  return new AppError('too_large', 'A file can have 512 MB at most.')
}
