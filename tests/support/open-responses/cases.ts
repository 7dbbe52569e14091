import type { z } from 'zod'
import { CompactResource, ResponseResource, StreamEvent } from '../open-responses'

/*
 * The cases of the compliance suite of Open Responses (openresponses.org, 2026-04) that need no WebSocket, and those of
 * its other versions. What it sends and what it looks for is the suite's; the words and the code are ours.
 */

type Body = Record<string, unknown>
type Resource = z.infer<typeof ResponseResource>
type Compacted = z.infer<typeof CompactResource>
type Output = (Resource | Compacted)['output']

/** An answer that has the form that is asked for, with the events that it came in where it was streamed. */
export type Given = { output: Output; status: string | null; object: string; id: string; events: Body[] }

/** Below `/v1`. */
export type Path = '/responses' | '/responses/compact'

/** One question and what its answer must be. */
export type Case = {
  id: string
  path: Path
  /** The question; one that goes on from another is given the answer to that. */
  body(model: string, before: Given | null): Body
  /** What is asked before it, whose answer must have its form, too. */
  before?: { path: Path; body(model: string): Body }
  /** What the model says, where the echo will not do. */
  says?: 'a call of get_weather'
  isStreamed?: true
  /** Instead of an answer. */
  refusedWith?: number[]
  /** What is wrong with the answer. */
  faults(given: Given): string[]
}

const user = (content: unknown) => ({ type: 'message', role: 'user', content })
const weather = {
  type: 'function',
  name: 'get_weather',
  description: 'Tells the weather of a place as it is now',
  parameters: {
    type: 'object',
    properties: { location: { type: 'string', description: 'A city with its country' } },
    required: ['location'],
  },
}
const redDot =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
const emptyPdf = `data:application/pdf;base64,${Buffer.from('%PDF-1.1\n%%EOF').toString('base64')}`

const isWhole = ({ status, output }: Given): string[] => [
  ...(status === 'completed' ? [] : [`It is ${status} rather than completed.`]),
  ...(output.length > 0 ? [] : ['There is no output.']),
]
const has =
  (type: Output[number]['type']) =>
  ({ output }: Given): string[] =>
    output.some((item) => item.type === type) ? [] : [`There is no ${type} in the output.`]
const isStreamed = (...types: string[]) => {
  const lacking = ({ events }: Given) =>
    types.filter((type) => !events.some((event) => event.type === type)).map((type) => `There is no ${type}.`)
  return (given: Given) => [...lacking(given), ...eventFaults(given.events)]
}

function eventFaults(events: Body[]): string[] {
  if (events.length === 0) return ['No events came.']
  return events.flatMap((event) => {
    const checked = StreamEvent.safeParse(event)
    return checked.success ? [] : [`${String(event.type)}: ${checked.error.message}`]
  })
}

const all =
  (...checks: ((given: Given) => string[])[]) =>
  (given: Given) =>
    checks.flatMap((check) => check(given))

const ask =
  (input: unknown, more: Body = {}) =>
  (model: string) => ({ model, input, ...more })

/** The cases of the suite's version of 2026-04 that need no WebSocket, but for the one that asks no server anything. */
export const floor: Case[] = [
  {
    id: 'basic-response',
    path: '/responses',
    body: ask([user('Greet me in three words.')]),
    faults: isWhole,
  },
  {
    id: 'assistant-phase',
    path: '/responses',
    body: ask([
      {
        type: 'message',
        role: 'assistant',
        phase: 'commentary',
        content: 'The number was kept; I say that.',
      },
      { type: 'message', role: 'assistant', phase: 'final_answer', content: 'It is four.' },
      user('Say the number alone.'),
    ]),
    faults: isWhole,
  },
  {
    id: 'streaming-response',
    path: '/responses',
    isStreamed: true,
    body: ask([user('Count to five.')]),
    faults: all(isStreamed('response.completed'), isWhole),
  },
  {
    id: 'system-prompt',
    path: '/responses',
    body: ask([{ type: 'message', role: 'system', content: 'Talk like a sailor.' }, user('Greet me.')]),
    faults: isWhole,
  },
  {
    id: 'tool-calling',
    path: '/responses',
    says: 'a call of get_weather',
    body: ask([user('What is the weather in Lima?')], { tools: [weather] }),
    faults: has('function_call'),
  },
  {
    id: 'image-input',
    path: '/responses',
    body: ask([
      user([
        { type: 'input_text', text: 'What is this? One sentence.' },
        { type: 'input_image', image_url: redDot },
      ]),
    ]),
    faults: isWhole,
  },
  {
    id: 'multi-turn',
    path: '/responses',
    body: ask([
      user('I am Ada.'),
      { type: 'message', role: 'assistant', content: 'Good morning, Ada. What can I do?' },
      user('Who am I?'),
    ]),
    faults: isWhole,
  },
  {
    id: 'compact-response',
    path: '/responses/compact',
    body: ask(
      [
        user('We start on Tuesday, and tell the support first.'),
        {
          type: 'message',
          role: 'assistant',
          content: 'Noted: Tuesday, and the support hears of it before.',
        },
      ],
      { prompt_cache_key: 'open-responses-compact' },
    ),
    faults: has('compaction'),
  },
  {
    id: 'compact-missing-model',
    path: '/responses/compact',
    refusedWith: [400, 422],
    body: () => ({ input: [user('Make this short.')] }),
    faults: () => [],
  },
]

/** What other versions of the suite ask beyond these. */
export const beyond: Case[] = [
  {
    id: 'tool-calling-streaming',
    path: '/responses',
    isStreamed: true,
    says: 'a call of get_weather',
    body: ask([user('What is the weather in Lima?')], { tools: [weather] }),
    faults: all(
      isStreamed(
        'response.output_item.added',
        'response.function_call_arguments.delta',
        'response.function_call_arguments.done',
        'response.output_item.done',
      ),
      has('function_call'),
    ),
  },
  {
    id: 'file-input',
    path: '/responses',
    body: ask([
      user([
        { type: 'input_text', text: 'What is its title?' },
        { type: 'input_file', filename: 'empty.pdf', file_data: emptyPdf },
      ]),
    ]),
    faults: isWhole,
  },
  {
    id: 'compact-and-continue',
    path: '/responses',
    before: {
      path: '/responses/compact',
      body: ask([user('The word is cobalt.'), { type: 'message', role: 'assistant', content: 'Noted.' }]),
    },
    body: (model, before) => ({ model, input: [...(before?.output ?? []), user('What is the word?')] }),
    faults: isWhole,
  },
]

/** Those that go on from what the server keeps. */
export const kept: Case[] = [
  {
    id: 'previous-response-id',
    path: '/responses',
    before: { path: '/responses', body: ask('The word is papaya. Say yes.') },
    body: (model, before) => ({ model, previous_response_id: before?.id, input: 'What was the word?' }),
    faults: isWhole,
  },
  {
    id: 'function-call-roundtrip',
    path: '/responses',
    says: 'a call of get_weather',
    before: { path: '/responses', body: ask('What is the weather in Lima?', { tools: [weather] }) },
    body: (model, before) => ({
      model,
      previous_response_id: before?.id,
      input: before?.output.flatMap((item) =>
        item.type === 'function_call'
          ? [{ type: 'function_call_output', call_id: item.call_id, output: '20 °C, clear' }]
          : [],
      ),
    }),
    faults: isWhole,
  },
]

/** The suite's case without a server: what has phases is a Response. */
export const phased = (model: string): Body => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1_764_967_971,
  completed_at: 1_764_967_972,
  status: 'completed',
  incomplete_details: null,
  model,
  previous_response_id: null,
  instructions: null,
  output: (['commentary', 'final_answer'] as const).map((phase) => ({
    id: `msg_${phase}`,
    type: 'message',
    status: 'completed',
    role: 'assistant',
    phase,
    content: [{ type: 'output_text', text: phase, annotations: [], logprobs: [] }],
  })),
  error: null,
  tools: [],
  tool_choice: 'auto',
  truncation: 'disabled',
  parallel_tool_calls: true,
  text: { format: { type: 'text' } },
  top_p: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
  top_logprobs: 0,
  temperature: 1,
  reasoning: { effort: null, summary: null },
  usage: null,
  max_output_tokens: null,
  max_tool_calls: null,
  store: true,
  background: false,
  service_tier: 'default',
  metadata: {},
  safety_identifier: null,
  prompt_cache_key: null,
})

/** Reads an answer as the suite does. Throws where it has not the form that the specification asks for. */
export function readGiven(path: Path, answer: unknown, events: Body[]): Given {
  const read = path === '/responses' ? ResponseResource.parse(answer) : CompactResource.parse(answer)
  const status = 'status' in read ? read.status : null
  return { id: read.id, object: read.object, output: read.output, status, events }
}
