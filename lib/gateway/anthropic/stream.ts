import { AppError, asAppError } from '../../errors'
import { EventCutter, type ModelKey } from '../../providers'
import { betweenThoughts, refusalOf, toChatId, toFinishReason, toThinkingBlock } from './completion'
import { toStreamError } from './errors'
import { isObject, type JsonObject, textOf } from './json'
import { type Counts, noCounts, readCounts, toChatUsage } from './usage'

type Options = {
  /** Errors are told without it. */
  key: ModelKey
  /** What the caller asked for by `stream_options.include_usage`. */
  includeUsage: boolean
  /** Seconds since 1970. */
  created?: number
}

/** A block that is being sent; `call` is the number of a tool call among the calls, `written` the length of what came of it. */
type OpenBlock = { block: JsonObject; call: number; written: number }

/** No answer has as many blocks; one that has is not followed. */
const maxBlocks = 10_000
/** Nor does any think so much (UTF-16 units). */
const maxGathered = 16 * 1024 * 1024

/**
 * Turns the events of one streamed message of Anthropic's into objects `chat.completion.chunk`
 * (https://platform.claude.com/docs/en/build-with-claude/streaming): the role first, then text, `reasoning_content` and
 * tool calls as they come, then the reason of the end, and, where it was asked for, the usage. A block of thinking is
 * sent once more at its end, with its signature, in `thinking_blocks`. Events that are not known are passed over.
 */
export class ChatChunks {
  readonly #options: Options
  readonly #created: number
  readonly #cutter: EventCutter
  readonly #blocks = new Map<number, OpenBlock>()
  #chunks: JsonObject[] = []
  #name = { id: toChatId(''), model: '' }
  #counts: Counts = noCounts
  #hasBegun = false
  #calls = 0
  #thoughts = 0
  #gathered = 0
  #hasReasoned = false
  #stop: JsonObject | null = null
  #isOver = false
  #failure: AppError | null = null

  constructor(options: Options) {
    this.#options = options
    this.#created = options.created ?? Math.floor(Date.now() / 1000)
    this.#cutter = new EventCutter(
      (data) => this.#read(data),
      () => this.#unreadable(),
    )
  }

  /** Whether the message is whole; nothing comes after that. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** What was used, as far as Anthropic has told up to now, in OpenAI's words; null before it told anything. */
  get usage(): JsonObject | null {
    return this.#hasBegun ? toChatUsage(this.#counts) : null
  }

  /** What the stream failed with: an `error` event, or something that is no message. Nothing comes after that. */
  get failure(): AppError | null {
    return this.#failure
  }

  /** The chunks that these bytes complete, up to the `failure` if there is one; bytes may be cut anywhere. */
  push(bytes: Uint8Array): JsonObject[] {
    return this.#collect(() =>
      this.#cutter.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    )
  }

  /** The body is over: what is left to say. A message that was not whole is a `failure`. */
  end(): JsonObject[] {
    return this.#collect(() => {
      this.#cutter.end()
      // Once the reason for the end is known, all has come.
      if (!this.#isOver && this.#stop !== null) this.#finish()
      if (!this.#isOver) throw broken('Anthropic ended the answer before it was complete.')
    })
  }

  #collect(read: () => void): JsonObject[] {
    if (this.#failure !== null) return []
    try {
      read()
    } catch (error) {
      this.#failure = asAppError(error)
    }
    const chunks = this.#chunks
    this.#chunks = []
    return chunks
  }

  #read(data: string): void {
    if (this.#isOver) return
    const event = parse(data)
    if (!isObject(event)) throw this.#unreadable()
    switch (event.type) {
      case 'message_start':
        this.#begin(event.message)
        break
      case 'content_block_start':
        this.#open(event)
        break
      case 'content_block_delta':
        this.#grow(event)
        break
      case 'content_block_stop':
        this.#close(event)
        break
      case 'message_delta':
        this.#counts = readCounts(event.usage, this.#counts)
        this.#noteStop(event.delta)
        break
      case 'message_stop':
        this.#finish()
        break
      case 'error':
        throw toStreamError(this.#options.key, event)
    }
  }

  #begin(message: unknown): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    this.#name = { id: toChatId(textOf(message, 'id')), model: textOf(message, 'model') }
    this.#counts = readCounts(isObject(message) ? message.usage : null)
    this.#say({ role: 'assistant', content: '', refusal: null })
  }

  #open({ index, content_block: block }: JsonObject): void {
    if (typeof index !== 'number' || !isObject(block)) throw this.#unreadable()
    if (this.#blocks.size >= maxBlocks) throw this.#unreadable()
    const isCall = block.type === 'tool_use'
    const open = { block: { ...block }, call: isCall ? this.#calls++ : -1, written: 0 }
    this.#blocks.set(index, open)
    if (isCall) {
      const called = { name: textOf(block, 'name'), arguments: '' }
      this.#say({
        tool_calls: [{ index: open.call, id: textOf(block, 'id'), type: 'function', function: called }],
      })
    }
    if (block.type === 'text') this.#sayText(textOf(block, 'text'))
    if (block.type === 'thinking') this.#think(open, textOf(block, 'thinking'))
  }

  #grow({ index, delta }: JsonObject): void {
    const open = this.#blocks.get(Number(index))
    if (open === undefined) throw this.#unreadable()
    switch (textOf(delta, 'type')) {
      case 'text_delta':
        this.#sayText(textOf(delta, 'text'))
        break
      case 'input_json_delta':
        this.#write(open, textOf(delta, 'partial_json'))
        break
      case 'thinking_delta':
        this.#gather(open, 'thinking', textOf(delta, 'thinking'))
        this.#think(open, textOf(delta, 'thinking'))
        break
      case 'signature_delta':
        this.#gather(open, 'signature', textOf(delta, 'signature'))
    }
  }

  /** Keeps what is sent again at the end of the block. */
  #gather({ block }: OpenBlock, name: string, piece: string): void {
    this.#gathered += piece.length
    if (this.#gathered > maxGathered) throw this.#unreadable()
    block[name] = textOf(block, name) + piece
  }

  #sayText(text: string): void {
    if (text !== '') this.#say({ content: text })
  }

  #think(open: OpenBlock, thought: string): void {
    if (thought === '') return
    const isNext = open.written === 0 && this.#hasReasoned
    open.written += thought.length
    this.#hasReasoned = true
    this.#say({ reasoning_content: isNext ? betweenThoughts + thought : thought })
  }

  #write(open: OpenBlock, json: string): void {
    if (json === '' || open.call === -1) return
    open.written += json.length
    this.#say({ tool_calls: [{ index: open.call, function: { arguments: json } }] })
  }

  #close({ index }: JsonObject): void {
    const open = this.#blocks.get(Number(index))
    if (open === undefined) return
    this.#blocks.delete(Number(index))
    // Of a call without arguments nothing is sent; servers that do not send them in pieces have them in its beginning.
    if (open.call !== -1 && open.written === 0) this.#write(open, JSON.stringify(open.block.input ?? {}))
    for (const block of toThinkingBlock(open.block)) {
      this.#say({ thinking_blocks: [{ index: this.#thoughts++, ...block }] })
    }
  }

  #noteStop(delta: unknown): void {
    if (!isObject(delta) || typeof delta.stop_reason !== 'string') return
    this.#stop = delta
    const refusal = refusalOf(delta)
    if (refusal !== null) this.#say({ refusal })
  }

  #finish(): void {
    if (!this.#hasBegun) throw this.#unreadable()
    this.#isOver = true
    this.#say({}, toFinishReason(textOf(this.#stop, 'stop_reason')))
    if (!this.#options.includeUsage) return
    this.#chunks.push({ ...this.#head(), choices: [], usage: toChatUsage(this.#counts) })
  }

  #head(): JsonObject {
    const { id, model } = this.#name
    return { id, object: 'chat.completion.chunk', created: this.#created, model }
  }

  #say(delta: JsonObject, finish: string | null = null): void {
    const choice = { index: 0, delta, logprobs: null, finish_reason: finish }
    const usage = this.#options.includeUsage ? { usage: null } : {}
    this.#chunks.push({ ...this.#head(), choices: [choice], ...usage })
  }

  #unreadable(): AppError {
    return broken('Anthropic sent something that cannot be read as an answer.')
  }
}

function broken(what: string): AppError {
  return new AppError('provider_failed', `${what} Try again.`, { facts: { remedy: 'retry' } })
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return null
  }
}
