import {
  asList,
  asObject,
  isObject,
  type JsonObject,
  optional,
  optionalWord,
  pathOf,
  refuse,
  required,
  type Spot,
  spotsIn,
} from './json'

const modes = ['none', 'auto', 'required'] as const
const anyObject = { type: 'object', properties: {} }

/** The fields of a chat request that are about tools: none where the request has no tools. Throws invalid_input. */
export function readTools(body: Spot): JsonObject {
  const tools = spotsIn(optional(body, 'tools', 'list') ?? [], 'tools').map(readTool)
  const choice = readChoice(body, new Set(tools.map(nameOf)))
  const parallel = optional(body, 'parallel_tool_calls', 'boolean')
  const allowed = choice.allowed ? tools.filter((tool) => choice.allowed?.has(nameOf(tool))) : tools
  if (allowed.length === 0) return {}
  return {
    tools: allowed,
    ...(choice.said !== undefined && { tool_choice: choice.said }),
    ...(parallel !== undefined && { parallel_tool_calls: parallel }),
  }
}

function nameOf(tool: JsonObject): unknown {
  return asObject(tool.function).name
}

function readTool(spot: Spot): JsonObject {
  const type = required(spot, 'type', 'string')
  if (type === 'function') return functionTool(spot)
  if (type === 'custom') return customTool(spot)
  throw hostedTool(pathOf(spot, 'type'), type)
}

function hostedTool(path: string, type: string): Error {
  const message = `'${path}': this model has functions and custom tools, but not '${type.slice(0, 60)}'.`
  return refuse(path, 'unsupported_value', message)
}

function functionTool(spot: Spot): JsonObject {
  const description = optional(spot, 'description', 'string')
  const strict = optional(spot, 'strict', 'boolean')
  return {
    type: 'function',
    function: {
      name: required(spot, 'name', 'string'),
      ...(description !== undefined && { description }),
      parameters: optional(spot, 'parameters', 'object') ?? anyObject,
      // Unlike Responses, chat is lenient unless it is told otherwise, and older servers do not know the word.
      ...(strict === true && { strict }),
    },
  }
}

/**
 * A custom tool, which is given plain text, becomes a function of one text: hardly a server but OpenAI's knows custom
 * tools. A grammar cannot be enforced then, but the model can be told of it.
 */
function customTool(spot: Spot): JsonObject {
  const name = required(spot, 'name', 'string')
  const description = optional(spot, 'description', 'string')
  const told = [description, grammarOf(spot)].filter((text) => text !== undefined).join('\n\n')
  const parameters = {
    type: 'object',
    properties: { input: { type: 'string', description: 'The whole input of the tool, as plain text.' } },
    required: ['input'],
    additionalProperties: false,
  }
  return { type: 'function', function: { name, ...(told !== '' && { description: told }), parameters } }
}

function grammarOf(spot: Spot): string | undefined {
  const format = optional(spot, 'format', 'object')
  if (!format) return undefined
  const at = { value: format, path: pathOf(spot, 'format') }
  if (optionalWord(at, 'type', ['text', 'grammar']) !== 'grammar') return undefined
  const definition = required(at, 'definition', 'string')
  return `The input must follow this grammar (${required(at, 'syntax', 'string')}):\n${definition}`
}

type Choice = { said?: unknown; allowed?: Set<unknown> }

function readChoice(body: Spot, names: Set<unknown>): Choice {
  const { tool_choice: choice } = body.value
  if (isObject(choice)) return readNamedChoice({ value: choice, path: 'tool_choice' }, names)
  const said = optionalWord(body, 'tool_choice', modes)
  if (said === 'required' && names.size === 0)
    throw unknownTool('tool_choice', "'tool_choice' needs 'tools'.")
  return { said }
}

/** A choice among some of the tools becomes a choice among all that are sent: hardly a server knows the former. */
function readNamedChoice(spot: Spot, names: Set<unknown>): Choice {
  const type = required(spot, 'type', 'string')
  if (type !== 'allowed_tools') return { said: { type: 'function', function: readName(spot, names) } }
  const allowed = spotsIn(required(spot, 'tools', 'list'), pathOf(spot, 'tools')).map((tool) =>
    readName(tool, names),
  )
  return {
    said: optionalWord(spot, 'mode', modes) ?? 'auto',
    allowed: new Set(allowed.map(({ name }) => name)),
  }
}

function readName(spot: Spot, names: Set<unknown>): { name: string } {
  const type = required(spot, 'type', 'string')
  if (type !== 'function' && type !== 'custom') throw hostedTool(pathOf(spot, 'type'), type)
  const name = required(spot, 'name', 'string')
  if (names.has(name)) return { name }
  throw unknownTool(
    'tool_choice',
    `'tool_choice' names a tool that is not in 'tools': ${name.slice(0, 100)}.`,
  )
}

function unknownTool(path: string, message: string): Error {
  return refuse(path, 'invalid_value', message)
}

/** The names of the request's custom tools: what the model calls by them is no function to the caller. */
export function customToolsOf(request: JsonObject): Set<string> {
  return new Set(
    asList(request.tools).flatMap((tool) => {
      const { type, name } = asObject(tool)
      return type === 'custom' && typeof name === 'string' ? [name] : []
    }),
  )
}
