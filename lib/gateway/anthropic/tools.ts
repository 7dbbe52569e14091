import type { ClaudeTraits } from '../../providers'
import { invalid, isObject, type JsonObject, objectsIn, textOf, unsupported } from './json'
import { toEnforceable } from './schema'

/** Tools as Anthropic takes them, how they are to be used, and what the model has to be told instead. */
export type Toolbox = {
  tools: JsonObject[]
  choice: JsonObject | null
  isForced: boolean
  instruction: string
}

/** So many tools of one request can be held to their schemas. */
const maxStrict = 20

const none: Toolbox = { tools: [], choice: null, isForced: false, instruction: '' }

/**
 * The tools of a chat and the choice among them. Where a model takes no choice that is forced on it, it is left the
 * choice and told what to do, as Anthropic advises. Throws invalid_input for tools that are no functions.
 */
export function toToolbox(chat: JsonObject, traits: ClaudeTraits, used: string[]): Toolbox {
  if (chat.functions !== undefined) throw unsupported('functions', 'functions are not taken. Use tools.')
  const wish = readChoice(chat.tool_choice)
  const offered = objectsIn(chat.tools).map((tool, index) => toOffer(tool, `tools.[${index}]`))
  const allowed = offered.filter(({ name }) => wish.allowed === null || wish.allowed.includes(name))
  if (allowed.length === 0) return toUsedOnly(used)
  if (wish.name !== null && !allowed.some(({ name }) => name === wish.name)) {
    throw invalid('tool_choice', 'tool_choice names a function that is not among the tools.')
  }
  const tools = toTools(allowed, traits)
  const once = chat.parallel_tool_calls === false ? { disable_parallel_tool_use: true } : {}
  if (wish.mode === 'none') return { ...none, tools, choice: { type: 'none' } }
  if (wish.mode === 'auto') {
    return {
      ...none,
      tools,
      choice: chat.tool_choice || 'disable_parallel_tool_use' in once ? { type: 'auto', ...once } : null,
    }
  }
  if (!traits.takesForcedTools) {
    return { ...none, tools, choice: { type: 'auto', ...once }, instruction: demand(wish.name) }
  }
  const forced = wish.name === null ? { type: 'any' } : { type: 'tool', name: wish.name }
  return { tools, choice: { ...forced, ...once }, isForced: true, instruction: '' }
}

function demand(name: string | null): string {
  const which = name === null ? 'one of the tools' : `the tool ${name}`
  return `Answer this by calling ${which}, and with no words of your own.`
}

/** Anthropic takes no calls in the past without the tools that were called. */
function toUsedOnly(used: string[]): Toolbox {
  if (used.length === 0) return none
  const tools = [...new Set(used)].map((name) => ({ name, input_schema: { type: 'object' } }))
  return { ...none, tools, choice: { type: 'none' } }
}

type Offer = { name: string; description: string; parameters: unknown; isStrict: boolean }

function toOffer(tool: JsonObject, path: string): Offer {
  if (textOf(tool, 'type') !== 'function') {
    throw unsupported(`${path}.type`, 'Anthropic’s models are given functions only, no other tools.')
  }
  const { function: called } = tool
  const name = textOf(called, 'name')
  if (name === '') throw invalid(`${path}.function.name`, 'A function has a name.')
  const { parameters, strict } = isObject(called) ? called : {}
  return { name, description: textOf(called, 'description'), parameters, isStrict: strict === true }
}

function toTools(offers: Offer[], traits: ClaudeTraits): JsonObject[] {
  let strictLeft = traits.takesSchemas ? maxStrict : 0
  return offers.map(({ name, description, parameters, isStrict }) => {
    const enforceable = isStrict && strictLeft > 0 ? toEnforceable(parameters) : null
    if (enforceable) strictLeft -= 1
    return {
      name,
      ...(description !== '' && { description }),
      input_schema: enforceable ?? toInputSchema(parameters),
      ...(enforceable && { strict: true }),
    }
  })
}

/** A function without parameters has an object without fields. */
function toInputSchema(parameters: unknown): JsonObject {
  if (!isObject(parameters)) return { type: 'object', properties: {} }
  return { ...parameters, type: 'object' }
}

/** What `tool_choice` wishes: `name` for one function, `allowed` where only some of the tools are. */
type Wish = { mode: 'auto' | 'none' | 'required'; name: string | null; allowed: string[] | null }

function readChoice(choice: unknown): Wish {
  const plain = { name: null, allowed: null }
  if (choice === undefined || choice === null) return { mode: 'auto', ...plain }
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { mode: choice, ...plain }
  if (isObject(choice) && choice.type === 'function') {
    return { ...plain, mode: 'required', name: textOf(choice.function, 'name') }
  }
  if (isObject(choice) && choice.type === 'allowed_tools' && isObject(choice.allowed_tools)) {
    const allowed = objectsIn(choice.allowed_tools.tools).map((tool) => textOf(tool.function, 'name'))
    return { mode: choice.allowed_tools.mode === 'required' ? 'required' : 'auto', name: null, allowed }
  }
  throw unsupported('tool_choice', 'tool_choice is auto, none, required or a function.')
}
