import type { TokenUsage } from '../contracts/conversations'
import { readUsage } from '../providers'

/** The count of tokens stands at the end of an answer; so much of it is kept for reading it. */
const tailBytes = 16 * 1024

const doneMark = Buffer.from('data: [DONE]')
/** How the events of a stream of responses begin, and the last one of them. */
const responseMark = Buffer.from('event: response.')
const lastResponse = /^event: response\.(completed|failed|incomplete)\r?\n/
const blankLine = Buffer.from('\n\n')
const lineEnds = /(?:\n\n|\r\n\r\n)$/
const newline = 0x0a

/** What ends a stream of completions, of Anthropic's messages, or of a response. Texts of a model hold no line ends. */
const ends =
  /(?:^|\n)data: ?\[DONE\]|(?:^|\n)event: ?(?:message_stop|response\.(?:completed|failed|incomplete))\r?\n|"finish_reason"\s*:\s*"/

/** How a stream tells that it cannot go on, in the same dialects. */
const faults = /(?:^|\n)(?:event: ?(?:error|response\.failed)\r?\n|data: ?\{\s*"error")/

/** Counts what passes in an answer, without taking it apart. */
export class StreamMeter {
  readonly #startedAt = performance.now()
  #tail: Uint8Array[] = []
  #tailLength = 0
  #events = 0
  #firstByteMs: number | null = null
  #told: TokenUsage | null = null
  /** The name of a response's last event. */
  #ending: string | null = null

  /** True if these bytes are of what ends a stream: the mark of chat completions, or the last event of a response. */
  chunk(bytes: Uint8Array): boolean {
    this.#firstByteMs ??= Math.round(performance.now() - this.#startedAt)
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = buffer.indexOf(blankLine); at !== -1; at = buffer.indexOf(blankLine, at + 2)) this.#events++
    this.#keep(buffer)
    this.#ending ??= findEnding(buffer)
    return this.#ending !== null || buffer.indexOf(doneMark, Math.max(0, buffer.length - 64)) !== -1
  }

  /** Takes what the server said it used from whoever reads its answer anyway. */
  tell(usage: TokenUsage): void {
    this.#told = usage
  }

  /** Milliseconds from the call to the first byte; null while there is none. */
  get firstByteMs(): number | null {
    return this.#firstByteMs
  }

  /** Milliseconds since the call began. */
  get elapsedMs(): number {
    return Math.round(performance.now() - this.#startedAt)
  }

  /** Events that passed: about one a token. */
  get events(): number {
    return this.#events
  }

  /** Whether the stream has said that there is no more: a connection that closes says nothing of what was left out. */
  get hasSaidAll(): boolean {
    return this.#ending !== null || ends.test(this.#readTail()) || this.usage() !== null
  }

  /** Whether the stream has said that it failed. */
  get hasFailed(): boolean {
    return this.#ending === 'failed' || faults.test(this.#readTail())
  }

  /** Whether what passed ends with a whole event, so that another one can follow. */
  get isBetweenEvents(): boolean {
    const last = this.#tail.at(-1)
    if (last === undefined || last.at(-1) !== newline) return this.#tailLength === 0
    return lineEnds.test(this.#readTail().slice(-4))
  }

  /** The last number of an event of a stream of responses; -1 where there is none. */
  get lastSequenceNumber(): number {
    const tail = this.#readTail()
    const at = tail.lastIndexOf('"sequence_number":')
    return at === -1 ? -1 : Number.parseInt(tail.slice(at + 18), 10)
  }

  /** What the server said it used, from the last object named `usage`; null if it said nothing. */
  usage(): TokenUsage | null {
    if (this.#told !== null) return this.#told
    const tail = this.#readTail()
    const start = startOfUsage(tail)
    const end = start === -1 ? -1 : endOfObject(tail, start)
    return end === -1 ? null : readUsage({ usage: parseObject(tail.slice(start, end)) })
  }

  #readTail(): string {
    return Buffer.concat(this.#tail).toString('utf8')
  }

  #keep(buffer: Buffer): void {
    this.#tail.push(buffer)
    this.#tailLength += buffer.length
    while (this.#tailLength - (this.#tail[0]?.length ?? 0) >= tailBytes)
      this.#tailLength -= this.#tail.shift()?.length ?? 0
  }
}

/** The last event holds the whole response and may come in many pieces; no words of a model can look like its name. */
function findEnding(buffer: Buffer): string | null {
  const at = buffer.lastIndexOf(responseMark)
  return at === -1 ? null : (lastResponse.exec(buffer.toString('latin1', at, at + 40))?.[1] ?? null)
}

const usageName = /"usage"\s*:\s*\{/g

/** Where the last object named so begins, or -1. What callers may say behind it, such as metadata, is texts alone. */
function startOfUsage(text: string): number {
  let start = -1
  for (const { 0: found, index } of text.matchAll(usageName)) start = index + found.length - 1
  return start
}

/** Where the object that begins at `start` ends (exclusive), or -1. Figures only: no braces stand in its texts. */
function endOfObject(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    if (text[at] === '{') depth++
    else if (text[at] === '}' && --depth === 0) return at + 1
  }
  return -1
}

function parseObject(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
