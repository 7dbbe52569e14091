/** A token is about four bytes of what was asked, or said. */
export const bytesPerToken = 4

/** An event of a stream is about one token, in a frame of up to so many bytes; what is longer holds more. */
const usualEventBytes = 400
/** Enough to know an event by its name. */
const nameBytes = 64
const nothing = Buffer.alloc(0)
const newline = 0x0a
const carriageReturn = 0x0d
/** Between events, from the end of the last line: lines end in the same way throughout. */
const blank = Buffer.from('\n\n')
const blankOfCrlf = Buffer.from('\n\r\n')
/** Events of a stream of responses that repeat what was asked, or was said before. */
const repeats = /^event: ?response\.(?![\w.]*delta\s)/
const streams = /^(?:event|data|id|retry)?:/

/** Estimates from the bytes of an answer, cut anywhere, how many tokens it is: of a stream, and of one that is none. */
export class OutputEstimate {
  #separator: Buffer | null = null
  #events = 0
  /** What long events hold beyond what is usual. */
  #surplus = 0
  /** Of the event that is not over: how long it is by now, how it begins, and its last two bytes. */
  #length = 0
  #beginning = ''
  #end = ''

  /** Events that passed: about one a token. */
  get events(): number {
    return this.#events
  }

  take(bytes: Buffer): void {
    this.#separator ??= this.#findSeparator(bytes)
    let start = 0
    for (let end = this.#endOfFirst(bytes); end !== -1; end = this.#endOfNext(bytes, start)) {
      this.#surplus += this.#surplusWith(bytes, start, end)
      this.#events++
      this.#length = 0
      this.#beginning = ''
      this.#end = ''
      start = end
    }
    if (start < bytes.length) this.#begin(bytes.subarray(start))
  }

  tokens(): number {
    const isStream = this.#events > 0 || streams.test(this.#beginning)
    const open = isStream ? this.#surplusWith(nothing, 0, 0) : this.#length
    return this.#events + Math.ceil((this.#surplus + open) / bytesPerToken)
  }

  #findSeparator(bytes: Buffer): Buffer | null {
    const at = bytes.indexOf(newline)
    if (at === -1) return null
    const isCrlf = at === 0 ? this.#end.endsWith('\r') : bytes[at - 1] === carriageReturn
    return isCrlf ? blankOfCrlf : blank
  }

  /** Where the event ends that was open before these bytes (exclusive), or -1; its separator may be cut. */
  #endOfFirst(bytes: Buffer): number {
    const separator = this.#separator
    if (separator !== null && (bytes[0] === newline || bytes[0] === carriageReturn)) {
      const before = this.#end.slice(1 - separator.length)
      const seam = Buffer.from(before + bytes.toString('latin1', 0, separator.length - 1), 'latin1')
      const at = seam.indexOf(separator)
      if (at !== -1) return at + separator.length - before.length
    }
    return this.#endOfNext(bytes, 0)
  }

  #endOfNext(bytes: Buffer, start: number): number {
    if (this.#separator === null) return -1
    const at = bytes.indexOf(this.#separator, start)
    return at === -1 ? -1 : at + this.#separator.length
  }

  #begin(piece: Buffer): void {
    if (this.#beginning.length < nameBytes) this.#beginning += piece.toString('latin1', 0, nameBytes)
    this.#length += piece.length
    this.#end = (this.#end + piece.toString('latin1', Math.max(0, piece.length - 2))).slice(-2)
  }

  /** What the open event holds beyond what is usual, with this piece of it. */
  #surplusWith(bytes: Buffer, start: number, end: number): number {
    const surplus = this.#length + end - start - usualEventBytes
    if (surplus <= 0) return 0
    const beginning = this.#beginning + bytes.toString('latin1', start, Math.min(end, start + nameBytes))
    return repeats.test(beginning) ? 0 : surplus
  }
}
