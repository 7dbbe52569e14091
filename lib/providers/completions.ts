import type { TokenUsage } from '../contracts/conversations'
import { messagesOf } from './continuation'
import { explainFault, readFault } from './faults'
import { at, listAt, parseJson, stringAt } from './json'
import { unreadable } from './mishaps'
import { completionsContent } from './parts'
import type { AnswerReader, AnswerSink, Dialect, Finish, ModelCall } from './port'
import { readUsage } from './token-usage'

const finishes = new Map<string, Finish>([
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['content_filter', 'content_filter'],
  ['tool_calls', 'tool'],
  ['function_call', 'tool'],
])

/** Content is a string; some servers send a list of typed parts. */
function contentOf(delta: unknown): string {
  const content = at(delta, 'content')
  if (typeof content === 'string') return content
  return listAt(delta, 'content')
    .map((part) => stringAt(part, 'text') ?? '')
    .join('')
}

/** vLLM and others send the error itself, where OpenAI sends an object that holds it. */
function isFlatError(chunk: unknown): boolean {
  return at(chunk, 'choices') === undefined && stringAt(chunk, 'message') !== null
}

class CompletionsReader implements AnswerReader {
  readonly #call: ModelCall
  readonly #sink: AnswerSink
  #began = false
  #refused = false
  #finish: Finish | null = null
  #usage: TokenUsage | null = null
  #isOver = false

  constructor(call: ModelCall, sink: AnswerSink) {
    this.#call = call
    this.#sink = sink
  }

  read(data: string): void {
    if (this.#isOver) return
    if (data.trim() === '[DONE]') this.#close()
    else this.#understand(data)
  }

  /** `[DONE]` is a courtesy: once the reason for the end is known, all text has come. */
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

  #understand(data: string): void {
    const chunk = parseJson(data)
    if (typeof chunk !== 'object' || chunk === null) throw unreadable({ ...this.#call, began: this.#began })
    if (at(chunk, 'error') || isFlatError(chunk)) throw explainFault(this.#call, readFault(chunk, null))
    for (const choice of listAt(chunk, 'choices')) {
      // Only one answer was asked for.
      if ((at(choice, 'index') ?? 0) === 0) this.#take(choice)
    }
    this.#usage = readUsage(chunk) ?? this.#usage
    if (this.#finish !== null && this.#usage !== null && listAt(chunk, 'choices').length === 0) this.#close()
  }

  #take(choice: unknown): void {
    if (at(choice, 'error')) throw explainFault(this.#call, readFault(choice, null))
    const delta = at(choice, 'delta') ?? at(choice, 'message')
    const thought = stringAt(delta, 'reasoning_content') ?? stringAt(delta, 'reasoning')
    if (thought) this.#sink.reasoning(thought)
    const refusal = stringAt(delta, 'refusal')
    if (refusal) this.#refused = true
    const text = contentOf(delta) + (refusal ?? '')
    if (text !== '') this.#sink.text(text)
    if (text || thought) this.#began = true
    const reason = stringAt(choice, 'finish_reason')
    if (reason) this.#finish = finishes.get(reason) ?? 'stop'
  }

  #close(): void {
    this.#isOver = true
    const finish = this.#finish ?? 'stop'
    this.#sink.done(this.#usage, finish === 'stop' && this.#refused ? 'refusal' : finish)
  }
}

/** Chat completions as Ollama, vLLM, OpenRouter and many others speak them. */
export const completions: Dialect = {
  path: '/chat/completions',
  canResume: false,
  requestBody: (call) => ({
    model: call.model,
    messages: [
      ...(call.instructions === '' ? [] : [{ role: 'system', content: call.instructions }]),
      ...messagesOf(call).map((message) => ({ role: message.role, content: completionsContent(message) })),
    ],
    ...(call.temperature === null ? {} : { temperature: call.temperature }),
    // Not `max_completion_tokens`: older servers know only this name, and newer ones still take it.
    ...(call.maxOutputTokens === null ? {} : { max_tokens: call.maxOutputTokens }),
    ...(call.reasoningEffort === null ? {} : { reasoning_effort: call.reasoningEffort }),
    stream: true,
    stream_options: { include_usage: true },
  }),
  openReader: (call, sink) => new CompletionsReader(call, sink),
}
