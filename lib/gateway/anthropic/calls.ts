import { createHash } from 'node:crypto'
import { invalid, isObject, type JsonObject, objectsIn, textOf, unsupported } from './json'

/**
 * The id of a call as Anthropic takes it (`[a-zA-Z0-9_-]+`): its own ids and OpenAI's stay; any other one, such as
 * `functions.find:0`, becomes the same new one wherever it stands.
 */
export function toCallId(id: string): string {
  if (/^[\w-]+$/.test(id)) return id
  return `toolu_${createHash('sha256').update(id).digest('hex').slice(0, 24)}`
}

/** The tool calls of an assistant's message as blocks. Throws invalid_input. */
export function toToolUses(calls: unknown, path: string): JsonObject[] {
  return objectsIn(calls).map((call, index) => {
    const here = `${path}.[${index}]`
    if (textOf(call, 'type') === 'custom') {
      throw unsupported(`${here}.type`, 'Anthropic’s models call functions only, no custom tools.')
    }
    const name = textOf(call.function, 'name')
    if (name === '' || textOf(call, 'id') === '') throw invalid(here, 'A tool call has an id and a function.')
    const input = readArguments(textOf(call.function, 'arguments'))
    return { type: 'tool_use', id: toCallId(textOf(call, 'id')), name, input }
  })
}

/** Arguments are whatever a model wrote; Anthropic takes an object alone, so what is none is put into one. */
function readArguments(written: string): JsonObject {
  if (written.trim() === '') return {}
  try {
    const read: unknown = JSON.parse(written)
    if (isObject(read)) return read
  } catch {
    // A model that was cut short, or erred: the next one is to see it as it is.
  }
  return { arguments: written }
}

/**
 * The thoughts that belong to a message: blocks with the signature that Anthropic demands with them, as an answer had
 * them in `thinking_blocks`. Reasoning in words alone (`reasoning_content`) is no thought that Anthropic would take back.
 */
export function toThinking(message: JsonObject): JsonObject[] {
  return objectsIn(message.thinking_blocks).flatMap((block): JsonObject[] => {
    const type = textOf(block, 'type')
    const [data, signature] = [textOf(block, 'data'), textOf(block, 'signature')]
    if (type === 'redacted_thinking' && data !== '') return [{ type, data }]
    if (type !== 'thinking' || signature === '') return []
    return [{ type, thinking: textOf(block, 'thinking'), signature }]
  })
}
