import { countTokens } from './text.ts'
import type { Body, Script } from './types.ts'
import { Float, nowSeconds } from './wire.ts'

const float = (value: unknown, otherwise: number): Float =>
  new Float(typeof value === 'number' ? value : otherwise)

const imageUsage = {
  input_tokens: 0,
  input_tokens_details: { image_tokens: 0, text_tokens: 0 },
  output_tokens: 0,
  output_tokens_details: { image_tokens: 0, text_tokens: 0 },
  total_tokens: 0,
}

/** Builds a Response that has just begun, all keys present and in the order of the wire. */
export function beginResponse(id: string, model: string, request: Body): Body {
  const reasoning = { context: 'current_turn', effort: 'medium', mode: 'standard', summary: null }
  const text = { format: { type: 'text' }, verbosity: 'medium' }
  return {
    id,
    object: 'response',
    created_at: nowSeconds(),
    status: 'in_progress',
    background: request.background === true,
    completed_at: null,
    error: null,
    frequency_penalty: float(request.frequency_penalty, 0),
    incomplete_details: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    model,
    moderation: null,
    output: [],
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    presence_penalty: float(request.presence_penalty, 0),
    previous_response_id: request.previous_response_id ?? null,
    prompt_cache_key: request.prompt_cache_key ?? null,
    prompt_cache_retention: request.prompt_cache_retention ?? 'in_memory',
    reasoning: { ...reasoning, ...(request.reasoning as Body | undefined) },
    safety_identifier: request.safety_identifier ?? null,
    service_tier: request.service_tier ?? 'auto',
    store: request.store ?? true,
    temperature: float(request.temperature, 1),
    text: { ...text, ...(request.text as Body | undefined) },
    tool_choice: request.tool_choice ?? 'auto',
    tool_usage: { image_gen: imageUsage, web_search: { num_requests: 0 } },
    tools: Array.isArray(request.tools) ? request.tools.map(writeTool) : [],
    top_logprobs: request.top_logprobs ?? 0,
    top_p: float(request.top_p, 1),
    truncation: request.truncation ?? 'disabled',
    usage: null,
    user: request.user ?? null,
    metadata: request.metadata ?? {},
  }
}

/** A tool as it is told back: what a function leaves out is filled in. */
function writeTool(tool: Body): Body {
  if (tool.type !== 'function') return tool
  const { type, description = null, name, parameters = null, strict = true, ...rest } = tool
  return { type, description, name, parameters, strict, ...rest }
}

/** How a Response ended. */
export type Outcome = {
  status: 'completed' | 'incomplete' | 'failed' | 'cancelled'
  output: Body[]
  usage?: Body | null
  reason?: string
  error?: { code: string; message: string }
}

/** Completes a Response with its outcome, keeping the order of its keys. */
export function endResponse(begun: Body, outcome: Outcome): Body {
  const { status, output, usage = null, reason, error } = outcome
  return {
    ...begun,
    status,
    completed_at: status === 'completed' ? nowSeconds() : null,
    error: error ?? null,
    incomplete_details: reason === undefined ? null : { reason },
    output,
    service_tier: 'default',
    usage,
  }
}

/** Counts the usage of an answer of so many deltas, unless the script tells it. */
export function responseUsage(request: Body, deltas: number, script: Script): Body {
  const { usage = {} } = script
  const input = usage.input ?? countTokens(request.instructions) + countTokens(request.input)
  const reasoning = usage.reasoning ?? 0
  const output = usage.output ?? deltas + reasoning
  return {
    input_tokens: input,
    input_tokens_details: { cache_write_tokens: 0, cached_tokens: usage.cached ?? 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  }
}
