import { Conversation } from './conversation'
import {
  asList,
  type JsonObject,
  optional,
  optionalCount,
  optionalWord,
  pathOf,
  refuse,
  required,
  type Spot,
  spotsIn,
} from './json'
import { readTools } from './tools'

/** Fields of Responses, or of chats as they are made here; what a request says beyond these goes on as it is. */
const ownFields = new Set([
  'background',
  'context_management',
  'conversation',
  'function_call',
  'functions',
  'include',
  'input',
  'instructions',
  // A chat's own names for the bound that `max_output_tokens` is, and those of some servers.
  'max_completion_tokens',
  'max_new_tokens',
  'max_output_tokens',
  'max_tokens',
  'max_tool_calls',
  'messages',
  'metadata',
  'model',
  'moderation',
  'n',
  'n_predict',
  'num_predict',
  'parallel_tool_calls',
  'previous_response_id',
  'prompt',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'reasoning',
  'response_format',
  'safety_identifier',
  'service_tier',
  'store',
  'stream',
  'stream_options',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
])

/**
 * The body of a chat completion that asks the same as a Responses request; `earlier` are the items of the chain before
 * it, the oldest first, and `kept` those that an `item_reference` may name, by id. What the gateway itself keeps or does (`store`, `metadata`, `background`) is not passed on, and
 * what Responses does not define is (`stop`, `seed`, penalties, a server's own settings).
 * Throws invalid_input naming the parameter, with OpenAI's code in its facts.
 */
export function toChatRequest(
  body: JsonObject,
  earlier: JsonObject[],
  kept: Map<string, JsonObject> = new Map(),
): JsonObject {
  const spot = { value: body, path: '' }
  refuseStored(spot)
  checkEchoed(spot)
  return {
    ...passedOn(body),
    model: required(spot, 'model', 'string'),
    messages: readMessages(spot, new Conversation(kept), earlier),
    ...readTools(spot),
    ...readText(spot),
    ...readSampling(spot),
    ...readMarks(spot),
    ...(optional(spot, 'stream', 'boolean') && { stream: true, stream_options: { include_usage: true } }),
  }
}

function passedOn(body: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(body).filter(([name, value]) => !ownFields.has(name) && value !== null),
  )
}

/** What OpenAI keeps for the caller, and no other server has. */
function refuseStored(spot: Spot): void {
  for (const name of ['conversation', 'prompt']) {
    const value = spot.value[name]
    if (value !== undefined && value !== null)
      throw refuse(name, 'unsupported_value', `The server of this model does not know '${name}'.`)
  }
}

const echoed = {
  background: 'boolean',
  frequency_penalty: 'number',
  max_tool_calls: 'number',
  metadata: 'object',
  presence_penalty: 'number',
  previous_response_id: 'string',
  prompt_cache_retention: 'string',
  store: 'boolean',
  truncation: 'string',
} as const

/** What is not read here, but told again in the Response, has to be what clients expect there. */
function checkEchoed(spot: Spot): void {
  for (const [name, kind] of Object.entries(echoed)) optional(spot, name, kind)
}

function readMessages(spot: Spot, conversation: Conversation, earlier: JsonObject[]): JsonObject[] {
  const instructions = optional(spot, 'instructions', 'string')
  for (const value of earlier) conversation.take({ value, path: 'previous_response_id' })
  for (const item of readInput(spot, earlier.length > 0)) conversation.take(item)
  const messages = conversation.messages()
  if (messages.length === 0 && !instructions)
    throw refuse('input', 'missing_required_parameter', "'input' says nothing.")
  return instructions ? [{ role: 'system', content: instructions }, ...messages] : messages
}

function readInput(spot: Spot, isOptional: boolean): Spot[] {
  const { input } = spot.value
  if (typeof input === 'string') return [{ value: { role: 'user', content: input }, path: 'input' }]
  const items = isOptional ? (optional(spot, 'input', 'list') ?? []) : required(spot, 'input', 'list')
  return spotsIn(items, 'input')
}

function readText(spot: Spot): JsonObject {
  const text = { value: optional(spot, 'text', 'object') ?? {}, path: 'text' }
  const verbosity = optional(text, 'verbosity', 'string')
  const format = optional(text, 'format', 'object')
  return {
    ...(format && readFormat({ value: format, path: 'text.format' })),
    ...(verbosity !== undefined && { verbosity }),
  }
}

function readFormat(spot: Spot): JsonObject {
  const type = optionalWord(spot, 'type', ['text', 'json_object', 'json_schema'])
  if (type === undefined)
    throw refuse(pathOf(spot, 'type'), 'missing_required_parameter', 'A format needs a type.')
  if (type === 'text') return {}
  if (type === 'json_object') return { response_format: { type } }
  const description = optional(spot, 'description', 'string')
  const strict = optional(spot, 'strict', 'boolean')
  const json_schema = {
    name: required(spot, 'name', 'string'),
    ...(description !== undefined && { description }),
    schema: required(spot, 'schema', 'object'),
    ...(strict !== undefined && { strict }),
  }
  return { response_format: { type, json_schema } }
}

function readSampling(spot: Spot): JsonObject {
  const reasoning = { value: optional(spot, 'reasoning', 'object') ?? {}, path: 'reasoning' }
  const effort = optional(reasoning, 'effort', 'string')
  const longest = optionalCount(spot, 'max_output_tokens', [1, 1_000_000_000])
  const temperature = optional(spot, 'temperature', 'number')
  const top_p = optional(spot, 'top_p', 'number')
  return {
    // Not `max_completion_tokens`: older servers know only this name, and newer ones still take it.
    ...(longest !== undefined && { max_tokens: longest }),
    ...(temperature !== undefined && { temperature }),
    ...(top_p !== undefined && { top_p }),
    ...(effort !== undefined && { reasoning_effort: effort }),
    ...readLogprobs(spot),
  }
}

function readLogprobs(spot: Spot): JsonObject {
  const most = optionalCount(spot, 'top_logprobs', [0, 20]) ?? 0
  const isIncluded = asList(optional(spot, 'include', 'list')).includes('message.output_text.logprobs')
  if (most === 0 && !isIncluded) return {}
  return { logprobs: true, ...(most > 0 && { top_logprobs: most }) }
}

/** Who asks, and what helps the server to serve it. `auto` is what a server does that is told nothing. */
function readMarks(spot: Spot): JsonObject {
  const user = optional(spot, 'user', 'string') ?? optional(spot, 'safety_identifier', 'string')
  const tier = optional(spot, 'service_tier', 'string')
  const cacheKey = optional(spot, 'prompt_cache_key', 'string')
  return {
    ...(user !== undefined && { user }),
    ...(tier !== undefined && tier !== 'auto' && { service_tier: tier }),
    ...(cacheKey !== undefined && { prompt_cache_key: cacheKey }),
  }
}
