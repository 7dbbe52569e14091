import { toCallId, toThinking, toToolUses } from './calls'
import { toBlocks } from './content'
import { invalid, isObject, type JsonObject, textOf, unsupported } from './json'

type Turn = { role: 'user' | 'assistant'; content: JsonObject[] }

/** A conversation as Anthropic takes it: instructions apart, and turns that alternate, the user's first and last. */
export type Conversation = { system: string; turns: Turn[] }

/** What is said where Anthropic wants a turn of the user's and nobody has said anything. */
const silence = '(…)'
/** An answer of the model's that stands last is over: in chat completions another one is made, not this one prolonged. */
const goOn = 'Go on.'

/**
 * The messages of a chat as a conversation: what `system` and `developer` say becomes instructions, wherever it stands;
 * results of tools become the user's; messages of one side are joined. Throws invalid_input for what OpenAI's API
 * would refuse (calls without results, results without calls) and for what Anthropic cannot take.
 */
export function toConversation(messages: unknown): Conversation {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw invalid('messages', 'messages is a list with at least one message.')
  }
  const gathering = new Gathering()
  messages.forEach((message: unknown, index) => {
    gathering.add(message, `messages.[${index}]`)
  })
  return gathering.end()
}

class Gathering {
  readonly #system: string[] = []
  readonly #turns: Turn[] = []
  /** Calls of the last message that wait for their results. */
  #open = new Set<string>()
  #path = 'messages'

  add(message: unknown, path: string): void {
    this.#path = path
    if (!isObject(message)) throw invalid(path, 'A message is an object.')
    const role = textOf(message, 'role')
    if (role !== 'tool') this.#requireClosed()
    switch (role) {
      case 'system':
      case 'developer':
        this.#instruct(message)
        break
      case 'user':
        this.#say('user', toBlocks(message.content, `${path}.content`))
        break
      case 'assistant':
        this.#answer(message)
        break
      case 'tool':
        this.#result(message)
        break
      case 'function':
        throw unsupported(`${path}.role`, 'Messages of functions are not taken. Use tools.')
      default:
        throw invalid(`${path}.role`, 'A role is system, developer, user, assistant or tool.')
    }
  }

  end(): Conversation {
    this.#requireClosed()
    const instructions = this.#system.join('\n\n')
    const turns = this.#turns
    // Instructions alone are a question, too: OpenAI answers it.
    if (turns.length === 0) return { system: '', turns: [userSays(instructions || silence)] }
    const first = turns[0]?.role === 'assistant' ? [userSays(silence)] : []
    const last = turns.at(-1)?.role === 'assistant' ? [userSays(goOn)] : []
    return { system: instructions, turns: [...first, ...turns, ...last] }
  }

  #instruct({ content }: JsonObject): void {
    for (const block of toBlocks(content, `${this.#path}.content`)) {
      if (block.type !== 'text') throw invalid(`${this.#path}.content`, 'Instructions are texts.')
      this.#system.push(textOf(block, 'text'))
    }
  }

  #answer(message: JsonObject): void {
    if (isObject(message.audio)) throw unsupported(`${this.#path}.audio`, 'Anthropic’s models take no audio.')
    if (message.function_call) throw unsupported(`${this.#path}.function_call`, 'Use tool_calls.')
    const calls = toToolUses(message.tool_calls, `${this.#path}.tool_calls`)
    const content = toBlocks(message.content, `${this.#path}.content`)
    const refusal = toBlocks(message.refusal, `${this.#path}.refusal`)
    this.#say('assistant', [...toThinking(message), ...content, ...refusal, ...calls])
    this.#open = new Set(calls.map((call) => textOf(call, 'id')))
  }

  #result(message: JsonObject): void {
    const id = toCallId(textOf(message, 'tool_call_id'))
    if (!this.#open.delete(id)) {
      const words = 'A message with the role tool answers a tool call of the message before it.'
      throw invalid(`${this.#path}.tool_call_id`, words)
    }
    const content = toBlocks(message.content, `${this.#path}.content`)
    this.#say('user', [{ type: 'tool_result', tool_use_id: id, ...(content.length > 0 && { content }) }])
  }

  #requireClosed(): void {
    if (this.#open.size === 0) return
    throw invalid(this.#path, 'Each tool call is answered by a message with the role tool right after it.')
  }

  #say(role: Turn['role'], content: JsonObject[]): void {
    if (content.length === 0) return
    const last = this.#turns.at(-1)
    if (last?.role === role) last.content.push(...content)
    else this.#turns.push({ role, content })
  }
}

function userSays(text: string): Turn {
  return { role: 'user', content: [{ type: 'text', text }] }
}
