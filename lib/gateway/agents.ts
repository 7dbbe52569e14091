import type { AgentRecord } from '../contracts/projects'
import { AppError } from '../errors'
import { type Asked, type JsonObject, rewrite } from './asked'

/**
 * A call to an agent as one to its model: the agent's instructions come first and its tools go along; of what else it
 * sets, the caller's own word counts. Throws invalid_input for calls that no agent answers.
 */
export function dressAsAgent(asked: Asked, agent: AgentRecord): Asked {
  if (asked.path === '/chat/completions') return rewrite(asked, chatFields(asked.body, agent))
  if (asked.path === '/responses') return rewrite(asked, responseFields(asked.body, agent))
  const message = 'An agent answers /v1/chat/completions and /v1/responses alone.'
  throw new AppError('invalid_input', message, { issues: [{ path: 'model', message }] })
}

function chatFields(body: JsonObject, agent: AgentRecord): JsonObject {
  const messages = Array.isArray(body.messages) ? body.messages : []
  const system = agent.system_prompt === '' ? [] : [{ role: 'system', content: agent.system_prompt }]
  const statesMaximum = body.max_tokens !== undefined || body.max_completion_tokens !== undefined
  return {
    model: agent.model_name,
    messages: [...system, ...messages],
    ...unless(body, 'temperature', agent.temperature),
    ...unless(body, 'reasoning_effort', agent.reasoning_effort),
    ...(statesMaximum ? {} : unless(body, 'max_completion_tokens', agent.max_output_tokens)),
    ...withTools(body, agent.tools.map(toChatTool)),
  }
}

function responseFields(body: JsonObject, agent: AgentRecord): JsonObject {
  const instructions = [agent.system_prompt, body.instructions].filter(
    (text) => typeof text === 'string' && text !== '',
  )
  const reasoning = typeof body.reasoning === 'object' && body.reasoning !== null ? body.reasoning : {}
  const effort = agent.reasoning_effort === null ? {} : { effort: agent.reasoning_effort }
  return {
    model: agent.model_name,
    ...(instructions.length > 0 && { instructions: instructions.join('\n\n') }),
    ...unless(body, 'temperature', agent.temperature),
    ...unless(body, 'max_output_tokens', agent.max_output_tokens),
    ...(agent.reasoning_effort !== null && { reasoning: { ...effort, ...reasoning } }),
    ...unless(body, 'background', agent.background || null),
    ...withTools(body, agent.tools.map(toResponseTool)),
  }
}

function unless(body: JsonObject, name: string, value: unknown): JsonObject {
  const isGiven = body[name] !== undefined && body[name] !== null
  return isGiven || value === null ? {} : { [name]: value }
}

function withTools(body: JsonObject, tools: JsonObject[]): JsonObject {
  if (tools.length === 0) return {}
  return { tools: [...tools, ...(Array.isArray(body.tools) ? body.tools : [])] }
}

/** Agents' tools may be written in either dialect: flat as in Responses, or with the function in a field of its own. */
function toChatTool(tool: JsonObject): JsonObject {
  if (tool.type !== 'function' || tool.function !== undefined) return tool
  const { type, ...fields } = tool
  return { type, function: fields }
}

function toResponseTool(tool: JsonObject): JsonObject {
  const { function: fields, ...rest } = tool
  return typeof fields === 'object' && fields !== null ? { ...rest, ...fields } : tool
}
