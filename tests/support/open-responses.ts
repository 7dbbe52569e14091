import { z } from 'zod'

/*
 * What the Open Responses specification (openresponses.org, its schema of 2026-04) requires of a Response and of the
 * events of its stream. Fields that it does not know are no fault.
 */

const count = z.int()
const noted = z.string().nullable()

const TopLogProb = z.object({ token: z.string(), logprob: z.number(), bytes: z.array(count) })
const LogProbs = z.array(TopLogProb.extend({ top_logprobs: z.array(TopLogProb) }))
const Citation = z.object({
  type: z.literal('url_citation'),
  url: z.string(),
  start_index: count,
  end_index: count,
  title: z.string(),
})

const Part = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('output_text'),
    text: z.string(),
    annotations: z.array(Citation),
    logprobs: LogProbs,
  }),
  z.object({ type: z.literal('refusal'), refusal: z.string() }),
  z.object({ type: z.literal('summary_text'), text: z.string() }),
  z.object({ type: z.literal('reasoning_text'), text: z.string() }),
  z.object({ type: z.literal('input_text'), text: z.string() }),
  z.object({
    type: z.literal('input_image'),
    image_url: noted,
    detail: z.enum(['low', 'high', 'auto']),
  }),
  z.object({
    type: z.literal('input_file'),
    filename: z.string().optional(),
    file_url: z.string().optional(),
  }),
])

const ItemStatus = z.enum(['in_progress', 'completed', 'incomplete'])

const Item = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('message'),
    id: z.string(),
    status: ItemStatus,
    role: z.enum(['user', 'assistant', 'system', 'developer']),
    content: z.array(Part),
    phase: z.enum(['commentary', 'final_answer']).optional(),
  }),
  z.object({
    type: z.literal('function_call'),
    id: z.string(),
    call_id: z.string(),
    name: z.string(),
    arguments: z.string(),
    status: ItemStatus,
  }),
  z.object({
    type: z.literal('reasoning'),
    id: z.string(),
    content: z.array(Part).optional(),
    summary: z.array(Part),
    encrypted_content: z.string().optional(),
  }),
  z.object({
    type: z.literal('function_call_output'),
    id: z.string(),
    call_id: z.string(),
    output: z.union([z.string(), z.array(Part)]),
    status: ItemStatus,
  }),
  z.object({ type: z.literal('compaction'), id: z.string(), encrypted_content: z.string() }),
])

const FunctionTool = z.object({
  type: z.literal('function'),
  name: z.string(),
  description: noted,
  parameters: z.record(z.string(), z.unknown()).nullable(),
  strict: z.boolean().nullable(),
})

const Mode = z.enum(['none', 'auto', 'required'])
const NamedTool = z.object({ type: z.literal('function'), name: z.string().optional() })

const Format = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    name: z.string(),
    description: noted,
    schema: z.record(z.string(), z.unknown()).nullable(),
    strict: z.boolean(),
  }),
])

const Usage = z.object({
  input_tokens: count,
  output_tokens: count,
  total_tokens: count,
  input_tokens_details: z.object({ cached_tokens: count }),
  output_tokens_details: z.object({ reasoning_tokens: count }),
})

/** A Response, as its specification has it. */
export const ResponseResource = z.object({
  id: z.string(),
  object: z.literal('response'),
  created_at: count,
  completed_at: count.nullable(),
  status: z.string(),
  incomplete_details: z.object({ reason: z.string() }).nullable(),
  model: z.string(),
  previous_response_id: noted,
  instructions: noted,
  output: z.array(Item),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  tools: z.array(FunctionTool),
  tool_choice: z.union([
    Mode,
    NamedTool,
    z.object({ type: z.literal('allowed_tools'), tools: z.array(NamedTool), mode: Mode }),
  ]),
  truncation: z.enum(['auto', 'disabled']),
  parallel_tool_calls: z.boolean(),
  text: z.object({ format: Format, verbosity: z.enum(['low', 'medium', 'high']).optional() }),
  top_p: z.number(),
  presence_penalty: z.number(),
  frequency_penalty: z.number(),
  top_logprobs: count,
  temperature: z.number(),
  reasoning: z.object({ effort: noted, summary: noted }).nullable(),
  usage: Usage.nullable(),
  max_output_tokens: count.nullable(),
  max_tool_calls: count.nullable(),
  store: z.boolean(),
  background: z.boolean(),
  service_tier: z.string(),
  metadata: z.unknown(),
  safety_identifier: noted,
  prompt_cache_key: noted,
})

/** A conversation made short, as `/v1/responses/compact` answers. */
export const CompactResource = z.object({
  id: z.string(),
  object: z.literal('response.compaction'),
  created_at: count,
  output: z.array(Item),
  usage: Usage,
})

const numbered = { sequence_number: count }
const atItem = { ...numbered, item_id: z.string(), output_index: count }
const atPart = { ...atItem, content_index: count }
const atSummary = { ...atItem, summary_index: count }

const snapshot = <T extends string>(type: T) =>
  z.object({ type: z.literal(type), ...numbered, response: ResponseResource })

const events = [
  snapshot('response.created'),
  snapshot('response.queued'),
  snapshot('response.in_progress'),
  snapshot('response.completed'),
  snapshot('response.failed'),
  snapshot('response.incomplete'),
  z.object({ type: z.literal('response.output_item.added'), ...numbered, output_index: count, item: Item }),
  z.object({ type: z.literal('response.output_item.done'), ...numbered, output_index: count, item: Item }),
  z.object({ type: z.literal('response.content_part.added'), ...atPart, part: Part }),
  z.object({ type: z.literal('response.content_part.done'), ...atPart, part: Part }),
  z.object({
    type: z.literal('response.output_text.delta'),
    ...atPart,
    delta: z.string(),
    logprobs: LogProbs,
  }),
  z.object({ type: z.literal('response.output_text.done'), ...atPart, text: z.string(), logprobs: LogProbs }),
  z.object({
    type: z.literal('response.output_text.annotation.added'),
    ...atPart,
    annotation_index: count,
    annotation: Citation,
  }),
  z.object({ type: z.literal('response.refusal.delta'), ...atPart, delta: z.string() }),
  z.object({ type: z.literal('response.refusal.done'), ...atPart, refusal: z.string() }),
  z.object({
    type: z.literal('response.function_call_arguments.delta'),
    ...atItem,
    delta: z.string(),
  }),
  z.object({
    type: z.literal('response.function_call_arguments.done'),
    ...atItem,
    arguments: z.string(),
  }),
  z.object({ type: z.literal('response.reasoning_summary_part.added'), ...atSummary, part: Part }),
  z.object({ type: z.literal('response.reasoning_summary_part.done'), ...atSummary, part: Part }),
  z.object({ type: z.literal('response.reasoning_summary_text.delta'), ...atSummary, delta: z.string() }),
  z.object({ type: z.literal('response.reasoning_summary_text.done'), ...atSummary, text: z.string() }),
  z.object({
    type: z.literal('error'),
    ...numbered,
    error: z.object({ type: z.string(), code: noted, message: z.string(), param: noted }),
  }),
] as const

/** Any event of a Response's stream, as the specification has it. */
export const StreamEvent = z.discriminatedUnion('type', events)
