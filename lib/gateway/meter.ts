import type { TokenUsage } from '../contracts/conversations'
import { pauseOf } from '../usage'
import { LastUsage } from './last-usage'
import { OutputEstimate } from './output-estimate'
import { ToolRuns } from './tool-runs'

/** So much of the end of an answer is kept, for reading how it ended. */
const tailBytes = 16 * 1024

const doneMark = Buffer.from('data: [DONE]')
/** How the events of a stream of responses begin, and the last one of them. */
const responseMark = Buffer.from('event: response.')
const lastResponse = /^event: response\.(completed|failed|incomplete)\r?\n/
const lineEnds = /(?:\n\n|\r\n\r\n)$/
const newline = 0x0a

/** What ends a stream of completions, of Anthropic's messages, or of a response. Texts of a model hold no line ends. */
const ends =
  /(?:^|\n)data: ?\[DONE\]|(?:^|\n)event: ?(?:message_stop|response\.(?:completed|failed|incomplete))\r?\n|"(?:finish|stop)_reason"\s*:\s*"/

/** How a stream tells that it cannot go on, in the same dialects. */
const faults = /(?:^|\n)(?:event: ?(?:error|response\.failed)\r?\n|data: ?\{\s*"error")/

/** How a message of Anthropic's begins, with a count of what was not said yet. A comment may come before it. */
const messageStart = /(?:^|\n)event: ?message_start\r?\n/
const beginningLength = 256

/** Counts what passes in an answer, without taking it apart. */
export class StreamMeter {
  readonly #startedAt = performance.now()
  #heardAt = this.#startedAt
  #pausesMs = 0
  readonly #toolRuns: ToolRuns | null
  #tail: Uint8Array[] = []
  #tailLength = 0
  readonly #estimate = new OutputEstimate()
  readonly #lastUsage = new LastUsage()
  #beginning = ''
  #firstByteMs: number | null = null
  #told: { usage: TokenUsage; isFinal: boolean } | null = null
  /** The name of a response's last event. */
  #ending: string | null = null

  /** `runsTools`: its server may run tools for it, and they are to be counted. */
  constructor({ runsTools = false } = {}) {
    this.#toolRuns = runsTools ? new ToolRuns() : null
  }

  /** True if these bytes are of what ends a stream: the mark of chat completions, or the last event of a response. */
  chunk(bytes: Uint8Array): boolean {
    this.#hear(performance.now())
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (this.#beginning.length < beginningLength)
      this.#beginning += buffer.toString('latin1', 0, beginningLength)
    this.#estimate.take(buffer)
    this.#lastUsage.take(buffer)
    this.#toolRuns?.take(buffer)
    this.#keep(buffer)
    this.#ending ??= findEnding(buffer)
    return this.#ending !== null || buffer.indexOf(doneMark, Math.max(0, buffer.length - 64)) !== -1
  }

  /** Takes what the server said it used from whoever reads its answer anyway; `isFinal`: of all that it says. */
  tell(usage: TokenUsage, { isFinal }: { isFinal: boolean }): void {
    this.#told = { usage, isFinal }
  }

  /** Milliseconds from the call to the first byte; null while there is none. */
  get firstByteMs(): number | null {
    return this.#firstByteMs
  }

  /** Milliseconds since the call began. */
  get elapsedMs(): number {
    return Math.round(performance.now() - this.#startedAt)
  }

  /** Milliseconds of all pauses longer than a second, before the first byte and up to now among them. */
  get silentMs(): number {
    return Math.round(this.#pausesMs + pauseOf(performance.now() - this.#heardAt))
  }

  /** Tools that the server has begun to run; null where nobody counts them. */
  get toolRuns(): number | null {
    return this.#toolRuns?.count ?? null
  }

  /** Events that passed: about one a token. */
  get events(): number {
    return this.#estimate.events
  }

  /** About as many tokens as what passed, where the server does not say. */
  estimateOutput(): number {
    return this.#estimate.tokens()
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

  /** What the server said it used in all, from the last object named `usage`; null if it said nothing. */
  usage(): TokenUsage | null {
    const isFinal = this.#told?.isFinal ?? !messageStart.test(this.#beginning)
    return isFinal ? this.usageSoFar() : null
  }

  /** What the server said up to now, which may leave out what it wrote since; null if it said nothing. */
  usageSoFar(): TokenUsage | null {
    return this.#told?.usage ?? this.#lastUsage.read()
  }

  #hear(now: number): void {
    this.#firstByteMs ??= Math.round(now - this.#startedAt)
    this.#pausesMs += pauseOf(now - this.#heardAt)
    this.#heardAt = now
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
