import type { TokenUsage } from '../contracts/conversations'
import { askToThink, traitsOfClaude } from './claude'
import { messagesOf } from './continuation'
import { explainFault, readFault } from './faults'
import { at, countAt, parseJson, stringAt } from './json'
import { unreadable } from './mishaps'
import { messagesContent } from './parts'
import type { AnswerReader, AnswerSink, Dialect, Finish, ModelCall } from './port'

/** How long an answer may be, in tokens with all thinking, where the agent does not say: Anthropic demands a number. */
const defaultMaxTokens = 32_000

const finishes = new Map<string, Finish>([
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool'],
  ['refusal', 'refusal'],
])

const ping = '{"type":"ping"'

/** The parts of a usage as they were told up to now; each event tells totals, and not all of them. */
type Counts = {
  input?: number
  cacheRead?: number
  cacheWritten?: number
  output?: number
  thinking?: number
}

class MessagesReader implements AnswerReader {
  readonly #call: ModelCall
  readonly #sink: AnswerSink
  #hasText = false
  #hasThought = false
  /** The block that the last thought was in. */
  #thoughtIn: unknown = null
  #finish: Finish | null = null
  #counts: Counts = {}
  #isOver = false

  constructor(call: ModelCall, sink: AnswerSink) {
    this.#call = call
    this.#sink = sink
  }

  read(data: string): void {
    if (this.#isOver || data.startsWith(ping)) return
    const event = parseJson(data)
    if (typeof event !== 'object' || event === null) {
      throw unreadable({ ...this.#call, began: this.#hasText })
    }
    this.#understand(event)
  }

  /** Once the reason for the end is known, all text has come. */
  end(): boolean {
    if (!this.#isOver && this.#finish !== null) this.#close()
    return this.#isOver
  }

  resumePoint(): null {
    return null
  }

  reopen(): void {
    // There is no place to go on at.
  }

  #understand(event: object): void {
    switch (stringAt(event, 'type')) {
      case 'message_start':
        this.#count(at(event, 'message'))
        break
      case 'content_block_start':
        this.#take(event, at(event, 'content_block'))
        break
      case 'content_block_delta':
        this.#take(event, at(event, 'delta'))
        break
      case 'message_delta':
        this.#count(event)
        this.#learnEnd(at(event, 'delta'))
        break
      case 'message_stop':
        this.#close()
        break
      case 'error':
        throw explainFault(this.#call, readFault(event, null))
    }
  }

  /** A block begins with something of what its deltas bring, most often nothing. */
  #take(event: object, piece: unknown): void {
    const type = stringAt(piece, 'type')
    if (type === 'text' || type === 'text_delta') this.#say(stringAt(piece, 'text'))
    if (type === 'thinking' || type === 'thinking_delta')
      this.#think(stringAt(piece, 'thinking'), at(event, 'index'))
  }

  #say(text: string | null): void {
    if (!text) return
    this.#hasText = true
    this.#sink.text(text)
  }

  /** Blocks are paragraphs, and nothing on the wire stands between them. */
  #think(thought: string | null, block: unknown): void {
    if (!thought) return
    const isNext = this.#hasThought && this.#thoughtIn !== block
    this.#hasThought = true
    this.#thoughtIn = block
    this.#sink.reasoning(isNext ? `\n\n${thought}` : thought)
  }

  #learnEnd(delta: unknown): void {
    const reason = stringAt(delta, 'stop_reason')
    if (reason === null) return
    this.#finish = finishes.get(reason) ?? 'stop'
    // A model that declines before it has said a word leaves it to this to say why.
    if (!this.#hasText) this.#say(stringAt(delta, 'stop_details', 'explanation'))
  }

  #count(holder: unknown): void {
    const count = (...path: string[]) => countAt(holder, 'usage', ...path)
    this.#counts = {
      input: count('input_tokens') ?? this.#counts.input,
      cacheRead: count('cache_read_input_tokens') ?? this.#counts.cacheRead,
      cacheWritten: count('cache_creation_input_tokens') ?? this.#counts.cacheWritten,
      output: count('output_tokens') ?? this.#counts.output,
      thinking: count('output_tokens_details', 'thinking_tokens') ?? this.#counts.thinking,
    }
  }

  #close(): void {
    this.#isOver = true
    this.#sink.done(usageOf(this.#counts), this.#finish ?? 'stop')
  }
}

/** What was read from the cache or written to it is told apart from the rest of the input, and counts as input here. */
function usageOf({ input, cacheRead, cacheWritten = 0, output, thinking }: Counts): TokenUsage | null {
  if (input === undefined || output === undefined) return null
  const all = input + (cacheRead ?? 0) + cacheWritten
  return {
    input_tokens: all,
    output_tokens: output,
    total_tokens: all + output,
    ...(cacheRead === undefined ? {} : { cached_tokens: cacheRead }),
    ...(thinking === undefined ? {} : { reasoning_tokens: thinking }),
  }
}

function requestBody(call: ModelCall): Record<string, unknown> {
  const traits = traitsOfClaude(call.model)
  const maxTokens = Math.min(call.maxOutputTokens ?? defaultMaxTokens, traits.maxOutputTokens)
  const { thinks, thinking, effort } = askToThink(traits, { effort: call.reasoningEffort, maxTokens })
  const messages = messagesOf(call).flatMap((message) => {
    const content = messagesContent(message)
    return content.length === 0 ? [] : [{ role: message.role, content }]
  })
  return {
    model: call.model,
    max_tokens: maxTokens,
    ...(call.instructions.trim() === '' ? {} : { system: call.instructions }),
    messages,
    // Its scale ends at 1, and models that think, or are newer, take none.
    ...(call.temperature === null || thinks || !traits.takesSampling
      ? {}
      : { temperature: Math.min(1, call.temperature) }),
    ...(thinking && { thinking }),
    ...(effort && { output_config: { effort } }),
    stream: true,
  }
}

/** Anthropic's Messages API (https://platform.claude.com/docs/en/build-with-claude/streaming). */
export const messages: Dialect = {
  path: '/v1/messages',
  canResume: false,
  requestBody,
  openReader: (call, sink) => new MessagesReader(call, sink),
}
