import { readUsage } from '../../providers'
import { asList, asObject, isObject, type JsonObject } from './json'

/** The request that a Response answers. */
export type ResponseOrigin = {
  /** Its body, once `toChatRequest` has taken it. */
  request: JsonObject
  /** `resp_…`, see `makeId`. */
  id: string
  /** Seconds since 1970. */
  createdAt: number
  /** Its first events were told before its server was asked: see `queueResponse`. */
  isQueued?: boolean
  /** What the Response calls its model, where that is another name than the model server's. */
  model?: string
}

/** How a Response stands. */
export type Standing = {
  status: 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed' | 'cancelled'
  output: JsonObject[]
  /** The model as its server calls it. */
  model?: string
  /** The tier that served, as its server calls it. */
  tier?: string
  usage?: JsonObject | null
  error?: { code: string; message: string }
  /** Why it is incomplete. */
  reason?: 'max_output_tokens' | 'content_filter'
  /** Seconds since 1970; what is not completed has none. */
  completedAt?: number
}

/** A Response with all the keys that OpenAI sends, in the order of its wire. */
export function makeResponse(origin: ResponseOrigin, standing: Standing): JsonObject {
  const { request } = origin
  const { status, output, error = null, reason, usage = null, completedAt = null } = standing
  return {
    id: origin.id,
    object: 'response',
    created_at: origin.createdAt,
    status,
    background: request.background ?? false,
    completed_at: completedAt,
    error,
    frequency_penalty: request.frequency_penalty ?? 0,
    incomplete_details: reason ? { reason } : null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    model: origin.model ?? standing.model ?? request.model,
    output,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    presence_penalty: request.presence_penalty ?? 0,
    previous_response_id: request.previous_response_id ?? null,
    prompt_cache_key: request.prompt_cache_key ?? null,
    prompt_cache_retention: request.prompt_cache_retention ?? null,
    reasoning: echoReasoning(request),
    safety_identifier: request.safety_identifier ?? null,
    service_tier: tierOf(request, standing),
    store: request.store ?? true,
    temperature: request.temperature ?? 1,
    text: echoText(request),
    tool_choice: request.tool_choice ?? 'auto',
    tools: asList(request.tools).map((tool) => echoTool(asObject(tool))),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? 1,
    truncation: request.truncation ?? 'disabled',
    usage,
    user: request.user ?? null,
    metadata: request.metadata ?? {},
  }
}

/** While it runs, the tier that was asked for; then the one that served. */
function tierOf({ service_tier: asked }: JsonObject, { status, tier }: Standing): unknown {
  if (status === 'queued' || status === 'in_progress') return asked ?? 'auto'
  return tier ?? (asked === undefined || asked === null || asked === 'auto' ? 'default' : asked)
}

function echoReasoning(request: JsonObject): JsonObject {
  const { effort = null, summary = null } = asObject(request.reasoning)
  return { effort, summary }
}

function echoText(request: JsonObject): JsonObject {
  const { format, verbosity } = asObject(request.text)
  return {
    format: isObject(format) ? echoFormat(format) : { type: 'text' },
    verbosity: verbosity ?? 'medium',
  }
}

function echoFormat(format: JsonObject): JsonObject {
  if (format.type !== 'json_schema') return { type: format.type }
  const { type, description = null, name, schema, strict } = format
  return { type, description, name, schema, strict: strict ?? false }
}

function echoTool(tool: JsonObject): JsonObject {
  if (tool.type !== 'function') return tool
  const { type, description = null, name, parameters = null, strict, ...rest } = tool
  return { type, description, name, parameters, strict: strict ?? false, ...rest }
}

/** The usage of a chat completion in the words of Responses; null where the server does not say. */
export function toResponseUsage(completion: JsonObject): JsonObject | null {
  const usage = readUsage(completion)
  if (usage === null) return null
  return {
    input_tokens: usage.input_tokens,
    input_tokens_details: { cached_tokens: usage.cached_tokens ?? 0 },
    output_tokens: usage.output_tokens,
    output_tokens_details: { reasoning_tokens: usage.reasoning_tokens ?? 0 },
    total_tokens: usage.total_tokens,
  }
}
