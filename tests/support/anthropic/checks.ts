import { badRequest } from './errors.ts'
import type { Body } from './types.ts'

const known = new Set(
  'model max_tokens messages system temperature top_p top_k stop_sequences tools tool_choice thinking output_config metadata stream service_tier container cache_control'.split(
    ' ',
  ),
)

/** Models that take nothing that leans their choice of words. */
const withoutSampling = /claude-(?:opus-4-[78]|(?:opus|sonnet|haiku|fable|mythos)-5)/
const withoutForcedTools = /claude-(?:opus-5-5|sonnet-5-5|(?:fable|mythos)-5-[1-9])/
const adaptiveOnly = withoutSampling
const alwaysThinking = /claude-(?:opus-5-5|(?:fable|mythos)-5)/
const withBudgetOnly = /claude-(?:3-7|(?:opus|sonnet|haiku)-4(?:-[0-5])?(?:-\d{8})?$)/
const withoutSchemas = /claude-(?:3|(?:opus|sonnet)-4(?:-[01])?(?:-\d{8})?$)/

const list = (value: unknown): Body[] => (Array.isArray(value) ? (value as Body[]) : [])
const blocksOf = (message: Body): Body[] =>
  typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : list(message.content)

/** Refuses what Anthropic's API refuses, in its words where they are known; throws WireError. */
export function check(body: Body): void {
  const strange = Object.keys(body).find((name) => !known.has(name))
  if (strange) throw badRequest(`${strange}: Extra inputs are not permitted`)
  if (typeof body.model !== 'string') throw badRequest('model: Field required')
  if (body.max_tokens === undefined) throw badRequest('max_tokens: Field required')
  if (!Number.isInteger(body.max_tokens) || Number(body.max_tokens) < 1) {
    throw badRequest('max_tokens: Input should be greater than or equal to 1')
  }
  checkMessages(body)
  checkSampling(body)
  checkThinking(body)
  checkTools(body)
  checkOutput(body)
}

function checkMessages(body: Body): void {
  const messages = list(body.messages)
  if (messages.length === 0) throw badRequest('messages: at least one message is required')
  if (messages[0]?.role !== 'user') throw badRequest('messages: first message must use the "user" role')
  messages.forEach((message, index) => {
    const here = `messages.${index}`
    if (message.role !== 'user' && message.role !== 'assistant') {
      throw badRequest(`${here}.role: Input should be 'user' or 'assistant'`)
    }
    const blocks = blocksOf(message)
    if (blocks.length === 0) throw badRequest(`${here}: all messages must have non-empty content`)
    blocks.forEach((block, at) => {
      checkBlock(block, `${here}.content.${at}`)
    })
    checkCalls(messages, index)
  })
  if (messages.at(-1)?.role === 'assistant' && !/claude-(?:3|\w+-4-[0-5]\b)/.test(String(body.model))) {
    throw badRequest(
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    )
  }
}

function checkBlock(block: Body, here: string): void {
  if (block.type === 'text' && String(block.text).trim() === '') {
    throw badRequest('messages: text content blocks must contain non-whitespace text')
  }
  if (block.type === 'thinking' && typeof block.signature !== 'string') {
    throw badRequest(`${here}.thinking.signature: Field required`)
  }
  if (block.type === 'thinking' && !String(block.signature).startsWith('sig-')) {
    throw badRequest(`${here}: Invalid \`signature\` in \`thinking\` block`)
  }
  const id = block.type === 'tool_use' ? block.id : block.type === 'tool_result' ? block.tool_use_id : 'x'
  if (!/^[a-zA-Z0-9_-]+$/.test(String(id))) {
    throw badRequest(`${here}.${block.type}.id: String should match pattern '^[a-zA-Z0-9_-]+$'`)
  }
  if (block.type === 'tool_use' && (typeof block.input !== 'object' || Array.isArray(block.input))) {
    throw badRequest(`${here}.tool_use.input: Input should be a valid dictionary`)
  }
  const extra = Object.keys(block).find((name) => name === 'index')
  if (extra) throw badRequest(`${here}.${extra}: Extra inputs are not permitted`)
}

/** Each call has its result at the beginning of the next message, and no result is without a call. */
function checkCalls(messages: Body[], index: number): void {
  const idsOf = (message: Body | undefined, type: string, name: string) =>
    (message ? blocksOf(message) : []).flatMap((block) => (block.type === type ? [String(block[name])] : []))
  const calls = idsOf(messages[index], 'tool_use', 'id')
  const results = idsOf(messages[index + 1], 'tool_result', 'tool_use_id')
  const missing = calls.filter((id) => !results.includes(id))
  if (missing.length > 0) {
    throw badRequest(
      `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
    )
  }
  const own = idsOf(messages[index], 'tool_result', 'tool_use_id')
  const before = idsOf(messages[index - 1], 'tool_use', 'id')
  const stray = own.find((id) => !before.includes(id))
  if (stray)
    throw badRequest(
      `messages.${index}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}.`,
    )
  const first = blocksOf(messages[index] ?? {}).slice(0, own.length)
  if (first.some(({ type }) => type !== 'tool_result')) {
    throw badRequest(`messages.${index}: \`tool_result\` blocks must come first`)
  }
}

function checkSampling({ model, temperature, top_p, thinking }: Body): void {
  if (temperature === undefined && top_p === undefined) return
  if (withoutSampling.test(String(model))) {
    throw badRequest('`temperature` and `top_p` are deprecated for this model.')
  }
  if (typeof temperature === 'number' && (temperature < 0 || temperature > 1)) {
    throw badRequest('temperature: range: 0..1')
  }
  if (temperature !== undefined && top_p !== undefined) {
    throw badRequest(
      '`temperature` and `top_p` cannot both be specified for this model. Please use only one.',
    )
  }
  const type = (thinking as Body | undefined)?.type
  if (temperature !== undefined && temperature !== 1 && (type === 'enabled' || type === 'adaptive')) {
    throw badRequest('`temperature` may only be set to 1 when thinking is enabled.')
  }
}

function checkThinking({ model, thinking, max_tokens, output_config, messages }: Body): void {
  const name = String(model)
  const { type, budget_tokens: budget } = (thinking ?? {}) as Body
  const effort = (output_config as Body | undefined)?.effort
  const refuse = (kind: unknown) =>
    badRequest(
      `"thinking.type.${kind}" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.`,
    )
  if (type === 'enabled' && adaptiveOnly.test(name)) throw refuse('enabled')
  if (type === 'disabled' && (alwaysThinking.test(name) || /sonnet-5-5/.test(name))) throw refuse('disabled')
  if (type === 'between_tools' && !/sonnet-5-5/.test(name)) throw refuse('between_tools')
  if (type === 'adaptive' && withBudgetOnly.test(name)) {
    throw badRequest('adaptive thinking is not supported on this model')
  }
  if ((type === 'disabled' || type === 'between_tools') && (effort === 'xhigh' || effort === 'max')) {
    throw badRequest(`effort ${effort} needs thinking`)
  }
  if (effort !== undefined && withBudgetOnly.test(name)) {
    throw badRequest('This model does not support the effort parameter.')
  }
  if (effort === 'xhigh' && /-4-6/.test(name))
    throw badRequest('effort: xhigh is not supported on this model')
  if (type !== 'enabled') return
  if (Number(budget) < 1024) throw badRequest('thinking.budget_tokens: Input should be at least 1024')
  if (Number(budget) >= Number(max_tokens)) {
    throw badRequest('`max_tokens` must be greater than `thinking.budget_tokens`.')
  }
  const turns = list(messages)
  const answer = turns.findLast(({ role }) => role === 'assistant')
  const goesOn = blocksOf(turns.at(-1) ?? {}).some(({ type: kind }) => kind === 'tool_result')
  const first = answer ? blocksOf(answer)[0]?.type : undefined
  if (goesOn && first !== 'thinking' && first !== 'redacted_thinking') {
    throw badRequest(
      'messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.',
    )
  }
}

function checkTools({ model, tools, tool_choice, thinking, messages }: Body): void {
  const forced = ['any', 'tool'].includes(String((tool_choice as Body | undefined)?.type))
  const kind = (thinking as Body | undefined)?.type
  if (forced && withoutForcedTools.test(String(model))) {
    throw badRequest('tool_choice: forced tool use is not supported on this model.')
  }
  if (forced && (kind === 'enabled' || kind === 'adaptive')) {
    throw badRequest('Thinking may not be enabled when tool_choice forces tool use.')
  }
  if (tool_choice && list(tools).length === 0)
    throw badRequest('tool_choice: may only be specified with tools')
  const called = list(messages).flatMap(blocksOf)
  if (list(tools).length === 0 && called.some(({ type }) => type === 'tool_use')) {
    throw badRequest('Requests which include `tool_use` or `tool_result` blocks must define tools')
  }
  list(tools).forEach((tool, index) => {
    const schema = tool.input_schema as Body | undefined
    if (schema?.type !== 'object') throw badRequest(`tools.${index}.custom.input_schema.type: Field required`)
    if (tool.strict === true) checkSchema(schema, `tools.${index}.custom.input_schema`)
  })
}

function checkOutput({ model, output_config }: Body): void {
  const format = (output_config as Body | undefined)?.format as Body | undefined
  if (format === undefined) return
  if (withoutSchemas.test(String(model)))
    throw badRequest('output_config.format: not supported on this model')
  checkSchema(format.schema, 'output_config.format.schema')
}

/** A schema that is enforced has closed objects, and none of the words that cannot be enforced. */
function checkSchema(schema: unknown, here: string): void {
  if (typeof schema !== 'object' || schema === null) return
  const { type, additionalProperties, ...rest } = schema as Body
  if (type === 'object' && additionalProperties !== false) {
    throw badRequest(`${here}: For 'object' type, 'additionalProperties' must be explicitly set to false`)
  }
  const words = ['minimum', 'maximum', 'minLength', 'maxLength', 'pattern', 'maxItems', 'oneOf', 'not']
  const refused = words.find((word) => word in rest && typeof rest[word] !== 'object')
  if (refused) throw badRequest(`${here}: property '${refused}' is not supported`)
  for (const inner of Object.values(schema)) checkSchema(inner, here)
}
