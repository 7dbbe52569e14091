import { isUtf8 } from 'node:buffer'
import { AppError } from '../errors'

/** What a model can make something of. */
export type FileKind = 'image' | 'pdf' | 'text'

/** How files begin, in latin1, by their specifications (PNG 5.2, JFIF and Exif, GIF89a, RIFF/WebP, PDF 7.5.2). */
const signatures: [mimeType: string, fits: (head: string) => boolean][] = [
  ['image/png', (head) => head.startsWith('\u0089PNG\r\n\u001a\n')],
  ['image/jpeg', (head) => /^\xff\xd8\xff[\xc0-\xfe]/.test(head)],
  ['image/gif', (head) => /^GIF8[79]a/.test(head)],
  ['image/webp', (head) => /^RIFF.{4}WEBPVP8[ LX]/s.test(head)],
  ['application/pdf', (head) => /^%PDF-[12]\.\d/.test(head)],
]

/** Of a text nothing but its author knows what it is; its name is good enough for that, and for that alone. */
const textTypes: [ending: RegExp, mimeType: string][] = [
  [/\.(md|markdown)$/i, 'text/markdown'],
  [/\.csv$/i, 'text/csv'],
  [/\.json$/i, 'application/json'],
]

/** So many bytes tell what a file is, unless it is text, of which all of them have to be seen. */
const headLength = 16

/** Control characters that texts have: tab, the ends of lines and pages, and escape, as in logs with colours. */
const textControls = new Set([9, 10, 11, 12, 13, 27])
const isBinary = Uint8Array.from({ length: 256 }, (_, byte) => (byte < 32 && !textControls.has(byte) ? 1 : 0))

/** Finds out what a file is while it passes by: by its content, whatever its name says. */
export class Sniffer {
  #head = Buffer.alloc(0)
  /** The beginning of a character that goes on in the next chunk. */
  #rest = Buffer.alloc(0)
  #isText = true

  see(chunk: Buffer): void {
    if (this.#head.length < headLength)
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, headLength)])
    if (this.#isText) this.#isText = this.#continuesText(chunk)
  }

  /** To be asked at the end. Throws unsupported_media_type for what nothing can be made of. */
  mimeType(filename: string): string {
    const head = this.#head.toString('latin1')
    const known = signatures.find(([, fits]) => fits(head))
    if (known) return known[0]
    if (!this.#isText || this.#rest.length > 0) throw unusable()
    return textTypes.find(([ending]) => ending.test(filename))?.[1] ?? 'text/plain'
  }

  #continuesText(chunk: Buffer): boolean {
    const text = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const end = text.length - lengthOfRest(text)
    this.#rest = Buffer.from(text.subarray(end))
    for (const byte of chunk) if (isBinary[byte] === 1) return false
    return isUtf8(text.subarray(0, end))
  }
}

/** How many bytes at the end begin a character in UTF-8 that is not whole yet. */
function lengthOfRest(text: Buffer): number {
  for (let length = 1; length <= Math.min(3, text.length); length++) {
    const byte = text[text.length - length] ?? 0
    if (byte >= 0xc0) return length < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? length : 0
    if (byte < 0x80) return 0
  }
  return 0
}

function unusable(): AppError {
  const message =
    'No model here can make anything of this file. It takes images (PNG, JPEG, GIF, WebP), PDFs, and texts in UTF-8 of any sort, such as Markdown, CSV, JSON or code.'
  const accepted = [...signatures.map(([mimeType]) => mimeType), 'text/*']
  return new AppError('unsupported_media_type', message, { facts: { accepted } })
}

/** What a model is given a file of this type as. */
export function kindOf(mimeType: string): FileKind {
  if (mimeType === 'application/pdf') return 'pdf'
  return mimeType.startsWith('image/') ? 'image' : 'text'
}
