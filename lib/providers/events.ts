import type { AppError } from '../errors'

/** The largest event that is taken, in bytes. */
export const maxEventBytes = 16 * 1024 * 1024

/** What a line costs in memory beside its text, in bytes: else empty lines could be kept for nothing. */
const lineCost = 32

const lineFeed = 10
const carriageReturn = 13

/** Where the last whole line of a chunk ends (exclusive), or 0. */
function endOfLines(chunk: Buffer): number {
  const feed = chunk.lastIndexOf(lineFeed)
  if (feed === chunk.length - 1) return feed + 1
  return Math.max(feed, chunk.lastIndexOf(carriageReturn)) + 1
}

/**
 * Cuts a server-sent event stream (WHATWG HTML, 9.2) into the data of its events; names, ids and comments are
 * passed over. Bytes become text a whole chunk of lines at a time, so a character cut in two never shows.
 */
export class EventCutter {
  #tail = Buffer.alloc(0)
  #tailLength = 0
  #lines: string[] = []
  #lineUnits = 0
  #endedWithReturn = false
  #atStart = true
  readonly #onData: (data: string) => void
  readonly #tooLarge: () => AppError

  constructor(onData: (data: string) => void, tooLarge: () => AppError) {
    this.#onData = onData
    this.#tooLarge = tooLarge
  }

  /** Takes the next bytes and gives out the events that they complete. Throws `tooLarge`, and what `onData` throws. */
  push(bytes: Buffer): void {
    const chunk = this.#endedWithReturn && bytes[0] === lineFeed ? bytes.subarray(1) : bytes
    if (chunk.length === 0) {
      if (bytes.length > 0) this.#endedWithReturn = false
      return
    }
    this.#endedWithReturn = chunk[chunk.length - 1] === carriageReturn
    const end = endOfLines(chunk)
    if (end > 0) this.#cut(this.#takeText(chunk, end))
    if (end < chunk.length) this.#keep(chunk, end)
  }

  /** The body is over: an event that lacks only its empty line is given out; a line cut in two is dropped. */
  end(): void {
    if (this.#tailLength === 0) this.#cut('\n')
  }

  #takeText(chunk: Buffer, end: number): string {
    let text: string
    if (this.#tailLength === 0) text = chunk.toString('utf8', 0, end)
    else {
      this.#keep(chunk.subarray(0, end), 0)
      text = this.#tail.toString('utf8', 0, this.#tailLength)
      this.#tailLength = 0
      if (this.#tail.length > 65536) this.#tail = Buffer.alloc(0)
    }
    if (this.#atStart) {
      this.#atStart = false
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1)
    }
    return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
  }

  /** Stores the beginning of a line; room grows by doubling, so that single bytes cost no more than a block. */
  #keep(chunk: Buffer, from: number): void {
    const needed = this.#tailLength + chunk.length - from
    if (needed > maxEventBytes) throw this.#tooLarge()
    if (needed > this.#tail.length) {
      const roomier = Buffer.allocUnsafe(Math.max(1024, needed, this.#tail.length * 2))
      this.#tail.copy(roomier, 0, 0, this.#tailLength)
      this.#tail = roomier
    }
    chunk.copy(this.#tail, this.#tailLength, from)
    this.#tailLength = needed
  }

  #cut(text: string): void {
    let start = 0
    for (let stop = text.indexOf('\n'); stop !== -1; stop = text.indexOf('\n', start)) {
      if (stop === start) this.#dispatch()
      else if (text.startsWith('data', start)) this.#takeData(text, start + 4, stop)
      start = stop + 1
    }
  }

  #takeData(text: string, from: number, stop: number): void {
    const isField = from === stop || text[from] === ':'
    if (!isField) return
    const value = text[from + 1] === ' ' ? from + 2 : from + 1
    this.#lineUnits += stop - from + lineCost
    if (this.#lineUnits > maxEventBytes) throw this.#tooLarge()
    this.#lines.push(text.slice(Math.min(value, stop), stop))
  }

  #dispatch(): void {
    const lines = this.#lines
    const [only] = lines
    if (only === undefined) return
    this.#lines = []
    this.#lineUnits = 0
    this.#onData(lines.length === 1 ? only : lines.join('\n'))
  }
}
