import { unpackSummary } from './compaction'
import { attachmentsOf, type ChatPart, contentOf, joinTexts, readParts } from './content'
import {
  asList,
  asObject,
  asText,
  type JsonObject,
  optional,
  pathOf,
  refuse,
  required,
  type Spot,
} from './json'
import { unpackThoughts } from './thinking'

/** What the model said before the next message of somebody else: chat completions have one message for it all. */
type AssistantTurn = {
  reasoning: string[]
  /** The same in the form in which its server takes it back. */
  thoughts: JsonObject[]
  texts: string[]
  calls: Map<string, JsonObject>
  /** Calls that were cut off; they are told only if they were answered all the same. */
  unfinished: Set<string>
  outputs: Map<string, ChatPart[]>
}

const roles = new Set(['user', 'assistant', 'system', 'developer'])

/** What hosted tools did elsewhere: the message after it says what came of that. */
const bygones = new Set([
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'mcp_list_tools',
  'mcp_call',
  'mcp_approval_request',
])

/** Puts together the messages of a chat from the items of Responses, one item after the other. */
export class Conversation {
  readonly #turns: (AssistantTurn | { message: JsonObject })[] = []
  readonly #callers = new Map<string, AssistantTurn>()
  readonly #kept: Map<string, JsonObject>
  #open: AssistantTurn | null = null

  /** `kept` are items by the ids by which others may refer to them. */
  constructor(kept: Map<string, JsonObject>) {
    this.#kept = kept
  }

  /** Takes the next item. Throws invalid_input. */
  take(spot: Spot): void {
    const type = optional(spot, 'type', 'string') ?? (spot.value.role === undefined ? '' : 'message')
    switch (type) {
      case 'message':
        this.#message(spot)
        break
      case 'reasoning':
        this.#think(spot.value)
        break
      case 'function_call':
        this.#call(spot, required(spot, 'arguments', 'string') || '{}')
        break
      case 'custom_tool_call':
        this.#call(spot, JSON.stringify({ input: required(spot, 'input', 'string') }))
        break
      case 'function_call_output':
      case 'custom_tool_call_output':
        this.#output(spot)
        break
      case 'compaction':
        this.#recall(spot)
        break
      case 'item_reference':
        this.take({ value: this.#resolve(spot), path: spot.path })
        break
      default:
        if (!bygones.has(type)) throw untold(spot, type)
    }
  }

  /** All messages. Throws invalid_input if a call was not answered. */
  messages(): JsonObject[] {
    return this.#turns.flatMap((turn) => ('message' in turn ? [turn.message] : messagesOf(turn)))
  }

  #resolve(spot: Spot): JsonObject {
    const id = required(spot, 'id', 'string')
    const item = this.#kept.get(id)
    if (item && item.type !== 'item_reference') return item
    const path = pathOf(spot, 'id')
    throw refuse(
      path,
      'invalid_value',
      `'${path}': no item ${id.slice(0, 100)} is kept. Send the item itself.`,
    )
  }

  #message(spot: Spot): void {
    const role = required(spot, 'role', 'string')
    if (!roles.has(role)) throw badRole(spot)
    const parts = readParts(spot, 'content')
    if (role !== 'user') requireTexts(spot, parts)
    if (role === 'assistant') this.#say(joinTexts(parts, ''))
    else this.#push({ role: role === 'developer' ? 'system' : role, content: contentOf(parts) })
  }

  /** What was said before was made short: all that is known of it is told first. */
  #recall(spot: Spot): void {
    const content = unpackSummary(required(spot, 'encrypted_content', 'string'))
    if (content === null) throw sealed(spot)
    this.#push({ role: 'user', content })
  }

  #push(message: JsonObject): void {
    this.#open = null
    this.#turns.push({ message })
  }

  /** The turn that is open, or a new one where what comes cannot belong to it. */
  #turn(belongs: (turn: AssistantTurn) => boolean): AssistantTurn {
    if (this.#open && belongs(this.#open)) return this.#open
    this.#open = newTurn()
    this.#turns.push(this.#open)
    return this.#open
  }

  #say(text: string): void {
    if (text !== '') this.#turn(isUnderWay).texts.push(text)
  }

  #think(item: JsonObject): void {
    const text = textOfThought(item)
    const thoughts = unpackThoughts(item.encrypted_content)
    if (text !== '') this.#turn(isUnderWay).reasoning.push(text)
    if (thoughts.length > 0) this.#turn(isUnderWay).thoughts.push(...thoughts)
  }

  #call(spot: Spot, args: string): void {
    const id = required(spot, 'call_id', 'string')
    const name = required(spot, 'name', 'string')
    const turn = this.#turn(({ outputs, calls }) => outputs.size === 0 && !calls.has(id))
    turn.calls.set(id, { id, type: 'function', function: { name, arguments: args } })
    if (spot.value.status === 'incomplete') turn.unfinished.add(id)
    this.#callers.set(id, turn)
  }

  #output(spot: Spot): void {
    const id = required(spot, 'call_id', 'string')
    const turn = this.#callers.get(id)
    if (turn) turn.outputs.set(id, readParts(spot, 'output'))
    else throw unasked(spot, id)
  }
}

function newTurn(): AssistantTurn {
  const [calls, unfinished, outputs] = [new Map(), new Set<string>(), new Map()]
  return { reasoning: [], thoughts: [], texts: [], calls, unfinished, outputs }
}

/** A text or thought between a call and its output belongs to the message with the call: nothing may come between them. */
function isUnderWay({ texts, calls, outputs }: AssistantTurn): boolean {
  return calls.size > 0 ? outputs.size < calls.size : texts.length === 0
}

/** What a model thought, in its own words or in those of a summary. */
function textOfThought({ content, summary }: JsonObject): string {
  const join = (parts: unknown) =>
    asList(parts)
      .map((part) => asText(asObject(part).text))
      .filter((text) => text !== '')
      .join('\n\n')
  return join(content) || join(summary)
}

function messagesOf({ reasoning, thoughts, texts, calls, unfinished, outputs }: AssistantTurn): JsonObject[] {
  const told = [...calls].filter(([id]) => outputs.has(id) || !unfinished.has(id))
  if (told.length === 0 && texts.length === 0) return []
  const answers = told.map(([id]) => ({ id, parts: outputs.get(id) ?? unanswered(id) }))
  const message = {
    role: 'assistant',
    content: texts.length === 0 ? null : texts.join('\n\n'),
    ...(reasoning.length > 0 && { reasoning_content: reasoning.join('\n\n') }),
    ...(thoughts.length > 0 && { thinking_blocks: thoughts }),
    ...(told.length > 0 && { tool_calls: told.map(([, call]) => call) }),
  }
  return [message, ...answers.map(toolMessage), ...attachmentMessage(answers)]
}

type Answer = { id: string; parts: ChatPart[] }

function toolMessage({ id, parts }: Answer): JsonObject {
  const text = joinTexts(parts, '\n\n')
  const isElsewhere = text === '' && parts.some(({ type }) => type !== 'text')
  const content = isElsewhere ? 'The output comes with the next message.' : text
  return { role: 'tool', tool_call_id: id, content }
}

/** A tool can answer with text alone in a chat, so images and files come after, as the user's. */
function attachmentMessage(answers: Answer[]): JsonObject[] {
  const content = answers.flatMap(({ id, parts }) => {
    const attachments = attachmentsOf(parts)
    return attachments.length === 0 ? [] : [{ type: 'text', text: `Output of ${id}:` }, ...attachments]
  })
  return content.length === 0 ? [] : [{ role: 'user', content }]
}

function unanswered(id: string): never {
  throw refuse('input', 'invalid_value', `The call ${id.slice(0, 100)} has no output in 'input'.`)
}

function unasked(spot: Spot, id: string): Error {
  const path = pathOf(spot, 'call_id')
  return refuse(path, 'invalid_value', `'${path}': no call ${id.slice(0, 100)} comes before its output.`)
}

function badRole(spot: Spot): Error {
  const path = pathOf(spot, 'role')
  return refuse(path, 'invalid_value', `'${path}' must be one of ${[...roles].join(', ')}.`)
}

function requireTexts(spot: Spot, parts: ChatPart[]): void {
  const index = parts.findIndex(({ type }) => type !== 'text')
  if (index === -1) return
  const path = `${pathOf(spot, 'content')}[${index}].type`
  throw refuse(path, 'invalid_value', `'${path}' must be a text: only users and tools send images and files.`)
}

function sealed(spot: Spot): Error {
  const path = pathOf(spot, 'encrypted_content')
  return refuse(path, 'unsupported_value', `'${path}': only the server that made this can read it.`)
}

function untold(spot: Spot, type: string): Error {
  const path = pathOf(spot, 'type')
  if (type === '') return refuse(path, 'missing_required_parameter', `'${path}' is missing.`)
  const message = `'${path}': the server of this model does not know items of the type ${type.slice(0, 60)}.`
  return refuse(path, 'unsupported_value', message)
}
