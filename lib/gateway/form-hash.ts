import { createHash } from 'node:crypto'

/** What ends a record of the hash, each with the number of its bytes: the type, a part, the form, or what may be content. */
const kinds = { type: 0, part: 1, close: 2, other: 3, end: 4 }
type Kind = keyof typeof kinds

/** More blanks after a boundary than this, and its line is content. */
const maxBlanks = 64
/** After so many boundaries, all that comes is one part: a form of nothing else would cost more than it is worth. */
const maxMarks = 1000
const carriageReturn = 13
const lineFeed = '\n'

/**
 * Tells which form it is that passes in pieces: a SHA-256 of all that a server could tell apart, but for the boundary
 * that its sender made up, blanks after it, and what stands before the first and after the last one.
 *
 * It parses no more than RFC 2046, section 5.1.1, has for boundaries, and keeps less than 400 bytes. Servers differ in
 * what they take for one, so a line that only begins as one counts both ways: as a mark, and as the content that it is.
 */
export class FormHash {
  readonly #type: string
  /** A boundary after a line feed, which it has nowhere else; null where nobody can say what the boundary is. */
  #delimiter: Buffer | null
  readonly #delimiterLength: number
  #hash = createHash('sha256')
  /** What may be the beginning of a boundary's line. The form begins as if a line had ended before it. */
  #held: Buffer = Buffer.from('\r\n')
  /** Of the record under way. */
  #bytes = 0
  #lastByte = 0
  #marks = 0
  #isBegun = false
  #hasPart = false
  #digest: Buffer | null = null

  constructor(contentType: string) {
    const { boundary, rest } = readType(contentType)
    this.#type = rest
    this.#delimiter = boundary === null ? null : Buffer.from(`${lineFeed}--${boundary}`, 'latin1')
    this.#delimiterLength = this.#delimiter?.length ?? 0
  }

  /** Null as long as the form has not ended. */
  get known(): Buffer | null {
    return this.#digest
  }

  /** The next piece, however it is cut. */
  update(piece: Uint8Array): void {
    if (this.#digest) return
    const came = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    const bytes = this.#held.length === 0 ? came : Buffer.concat([this.#held, came])
    const held = this.#take(bytes)
    this.#held = Buffer.from(bytes.subarray(held))
  }

  /** No more comes. */
  finish(): Buffer {
    if (this.#digest) return this.#digest
    this.#add(this.#held)
    return this.#close('end')
  }

  /** Takes all but what may be the beginning of a boundary's line, and tells where that is. */
  #take(bytes: Buffer): number {
    let [from, searched] = [0, 0]
    const find = () => (this.#delimiter ? bytes.indexOf(this.#delimiter, searched) : -1)
    for (let at = find(); at >= 0; at = find()) {
      searched = at + this.#delimiterLength
      const line = readLine(bytes.toString('latin1', searched, searched + maxBlanks + 2))
      this.#add(bytes.subarray(from, at))
      if (!line) return at
      if (!this.#isBegun) this.#begin()
      const kind = this.#judge(line.kind)
      if (kind === 'close') {
        this.#close(kind)
        return bytes.length
      }
      this.#mark(kind)
      this.#marks += 1
      if (this.#marks >= maxMarks) this.#delimiter = null
      if (kind === 'part') {
        this.#hasPart = true
        searched += line.blanks
      }
      from = kind === 'part' ? searched : at
    }
    const end = this.#endOfContent(bytes, searched)
    this.#add(bytes.subarray(from, end))
    return end
  }

  /** All before was no part of the form. */
  #begin(): void {
    this.#isBegun = true
    this.#hash = createHash('sha256')
    this.#bytes = 0
  }

  /** A boundary stands after CR and LF, and the last one after the line end of a head. */
  #judge(kind: Kind): Kind {
    if (this.#lastByte !== carriageReturn) return 'other'
    return kind === 'close' && !(this.#hasPart && this.#bytes > 1) ? 'other' : kind
  }

  /** Where the beginning of a boundary may stand at the end. */
  #endOfContent(bytes: Buffer, searched: number): number {
    if (!this.#delimiter) return bytes.length
    const start = Math.max(searched, bytes.length - this.#delimiterLength + 1)
    const at = bytes.subarray(start).lastIndexOf(lineFeed) + start
    const isBeginning = at >= start && this.#delimiter.indexOf(bytes.subarray(at)) === 0
    return isBeginning ? at : bytes.length
  }

  #add(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#hash.update(bytes)
    this.#bytes += bytes.length
    this.#lastByte = bytes[bytes.length - 1] ?? 0
  }

  #mark(kind: Kind): void {
    const end = Buffer.alloc(9)
    end.writeUInt8(kinds[kind])
    end.writeBigUInt64BE(BigInt(this.#bytes), 1)
    this.#hash.update(end)
    this.#bytes = 0
  }

  #close(kind: Kind): Buffer {
    this.#mark(kind)
    this.#add(Buffer.from(this.#type, 'latin1'))
    this.#mark('type')
    this.#held = Buffer.alloc(0)
    this.#digest = this.#hash.digest()
    return this.#digest
  }
}

/** What follows a boundary on its line; null where more has to come to tell. */
function readLine(text: string): { kind: Kind; blanks: number } | null {
  if (text.startsWith('--')) return { kind: 'close', blanks: 0 }
  const blanks = /^[ \t]*/.exec(text)?.[0].length ?? 0
  if (text.startsWith('\r\n', blanks)) return { kind: 'part', blanks }
  const isOpen = text === '-' || blanks === text.length || text.slice(blanks) === '\r'
  return isOpen && text.length < maxBlanks + 2 ? null : { kind: 'other', blanks: 0 }
}

/** The boundary of a type that names one and leaves no doubt about it, and the type without it. */
function readType(type: string): { boundary: string | null; rest: string } {
  const found = /;\s*boundary=(?:"([^"\\]+)"|([^\s;,"\\]+))(?=\s*(?:;|$))/i.exec(type)
  const boundary = found?.[1] ?? found?.[2]
  const named = type.match(/boundary[\s*\d]*=/gi) ?? []
  if (!found || boundary === undefined || named.length > 1) return { boundary: null, rest: type }
  return { boundary, rest: type.replace(found[0], () => '\0') }
}
