/** A dialect, by the provider that speaks it. */
export type Provider = 'openai' | 'openai-compatible'

/** One piece of what a model says; `part` is the paragraph of a reasoning. */
export type Said = { kind: 'text' | 'reasoning' | 'refusal'; piece: string; part: number }

type Answer = {
  said: Said[]
  /** How it ends: well, for length, with an error as an event of its own kind, nested or flat, or not at all. */
  end: string
  /** All is said in the last event alone. */
  isSilent: boolean
  inBackground?: boolean
}

/** The data of the events of an answer. */
export function framesOf(provider: Provider, answer: Answer): string[] {
  return provider === 'openai' ? framesOfResponses(answer) : framesOfCompletions(answer)
}

const fault = { type: 'server_error', code: 'server_error', message: 'Something "broke".', param: null }

function framesOfResponses({ said, end, isSilent, inBackground = false }: Answer): string[] {
  const types = {
    text: 'response.output_text.delta',
    refusal: 'response.refusal.delta',
    reasoning: 'response.reasoning_summary_text.delta',
  }
  const deltas = said.map(({ kind, piece, part }) => ({
    type: types[kind],
    [kind === 'reasoning' ? 'summary_index' : 'content_index']: part,
    delta: piece,
    item_id: 'msg_1',
    obfuscation: 'x',
    output_index: 0,
  }))
  const response = {
    id: 'resp_1',
    status: 'in_progress',
    background: inBackground,
    output: [] as unknown[],
    usage: null,
  }
  const content = said.map(({ kind, piece }) =>
    kind === 'refusal' ? { type: 'refusal', refusal: piece } : { type: 'output_text', text: piece },
  )
  const whole = {
    ...response,
    output: [{ type: 'message', content }],
    usage: { input_tokens: 3, output_tokens: 4 },
  }
  const ends: Record<string, object[]> = {
    completed: [{ type: 'response.completed', response: { ...whole, status: 'completed' } }],
    incomplete: [
      {
        type: 'response.incomplete',
        response: { ...whole, status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      },
    ],
    failed: [{ type: 'response.failed', response: { ...response, status: 'failed', error: fault } }],
    nested: [{ type: 'error', error: fault }],
    flat: [{ ...fault, type: 'error' }],
  }
  const opening = [
    { type: 'response.created', response },
    { type: 'response.output_item.added', output_index: 0, item: { type: 'message', content: [] } },
  ]
  const closing = [{ type: 'response.output_item.done', output_index: 0, item: { type: 'message', content } }]
  const all = [...opening, ...(isSilent ? [] : deltas), ...closing, ...(ends[end] ?? [])]
  return all.map((event, sequence_number) => JSON.stringify({ ...event, sequence_number }))
}

function framesOfCompletions({ said, end }: Answer): string[] {
  const names = { text: 'content', refusal: 'refusal', reasoning: 'reasoning_content' }
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason }],
    usage: null,
  })
  const deltas = said.map(({ kind, piece }) => chunk({ [names[kind]]: piece }))
  const usage = { choices: [], usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } }
  const ends: Record<string, object[]> = {
    completed: [chunk({}, 'stop'), usage],
    incomplete: [chunk({}, 'length'), usage],
    failed: [{ choices: [{ index: 0, delta: {}, error: fault }] }],
    nested: [{ error: fault }],
    flat: [{ object: 'error', ...fault }],
  }
  const all = [chunk({ role: 'assistant', content: '' }), ...deltas, ...(ends[end] ?? [])]
  return [...all.map((event) => JSON.stringify(event)), ...(end === 'completed' ? ['[DONE]'] : [])]
}
