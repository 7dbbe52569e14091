import { isObject, type JsonObject, objectsIn, textOf } from './json'
import { readCounts, toChatUsage } from './usage'

const finishes = new Map([
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
])

/**
 * Why an answer ended, in OpenAI's words (https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons).
 * A turn that pauses (`pause_turn`, for tools that Anthropic runs) is over for who cannot go on with it.
 */
export function toFinishReason(stopReason: string): string {
  return finishes.get(stopReason) ?? 'stop'
}

/** The id of an answer, as OpenAI's begin. */
export function toChatId(messageId: string): string {
  return `chatcmpl-${messageId.replace(/^msg_/, '')}`
}

/**
 * A message of Anthropic's as `chat.completion`. What the model thought is `reasoning_content`; with the signatures that
 * are needed to send it back, it is in `thinking_blocks`, of which OpenAI's clients know nothing.
 */
export function toChatCompletion(message: JsonObject, created = Math.floor(Date.now() / 1000)): JsonObject {
  const blocks = objectsIn(message.content)
  const choice = {
    index: 0,
    message: toChatMessage(message, blocks),
    logprobs: null,
    finish_reason: toFinishReason(textOf(message, 'stop_reason')),
  }
  return {
    id: toChatId(textOf(message, 'id')),
    object: 'chat.completion',
    created,
    model: textOf(message, 'model'),
    choices: [choice],
    usage: toChatUsage(readCounts(message.usage)),
  }
}

function toChatMessage(message: JsonObject, blocks: JsonObject[]): JsonObject {
  const ofType = (type: string) => blocks.filter((block) => block.type === type)
  const text = ofType('text')
    .map((block) => textOf(block, 'text'))
    .join('')
  const reasoning = ofType('thinking')
    .map((block) => textOf(block, 'thinking'))
    .filter((thought) => thought !== '')
    .join(betweenThoughts)
  const thoughts = blocks.flatMap(toThinkingBlock)
  const calls = ofType('tool_use').map(toToolCall)
  return {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: refusalOf(message),
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(thoughts.length > 0 && { thinking_blocks: thoughts }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

/** Thoughts are paragraphs, and nothing stands between them where they are blocks. */
export const betweenThoughts = '\n\n'

/** A block of thinking with nothing in it but what is needed to send it back; any other block is none. */
export function toThinkingBlock(block: JsonObject): JsonObject[] {
  const { type } = block
  if (type === 'redacted_thinking') return [{ type, data: textOf(block, 'data') }]
  if (type !== 'thinking') return []
  return [{ type, thinking: textOf(block, 'thinking'), signature: textOf(block, 'signature') }]
}

function toToolCall(block: JsonObject): JsonObject {
  const called = { name: textOf(block, 'name'), arguments: JSON.stringify(block.input ?? {}) }
  return { id: textOf(block, 'id'), type: 'function', function: called }
}

/** What Anthropic says of why the model declined, if it did and that is said. */
export function refusalOf({ stop_reason, stop_details }: JsonObject): string | null {
  if (stop_reason !== 'refusal' || !isObject(stop_details)) return null
  return textOf(stop_details, 'explanation') || null
}
