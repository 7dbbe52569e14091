import { cutEvenly, deltaStep, type ItemPlan, type Step } from './plan.ts'
import { cutIntoDeltas } from './text.ts'
import { planHostedTool } from './tools.ts'
import type { Body, ScriptItem } from './types.ts'
import { makeId, makeShortId } from './wire.ts'

/** What a request asks for that changes how items look. */
export type ItemOptions = { encryptedReasoning: boolean; logprobs: boolean }

/** Plans the events of one item; at most `limit` deltas, then the item stays incomplete. */
export function planItem(item: ScriptItem, options: ItemOptions, limit: number): ItemPlan {
  switch (item.type) {
    case 'reasoning':
      return planReasoning(item, options)
    case 'text':
      return planText(item, options, limit)
    case 'refusal':
      return planRefusal(item, limit)
    case 'function':
      return planFunction(item)
    case 'custom':
      return planCustom(item)
    case 'raw':
      return { added: item.item, steps: [], done: item.item }
    default:
      return planHostedTool(item)
  }
}

type Of<T extends ScriptItem['type']> = Extract<ScriptItem, { type: T }>

function planReasoning(item: Of<'reasoning'>, options: ItemOptions): ItemPlan {
  const parts = item.summary === undefined ? [] : [item.summary].flat()
  const secret = () => (options.encryptedReasoning ? { encrypted_content: makeShortId('gAAAAAB', 200) } : {})
  const id = makeId('rs')
  const thought = item.text === undefined ? [] : [{ type: 'reasoning_text', text: item.text }]
  const shape = (content: Body[], summary: Body[]) => ({
    id,
    type: 'reasoning',
    content,
    ...secret(),
    summary,
  })
  const steps = [...thought.flatMap(({ text }) => thoughtSteps(text)), ...parts.flatMap(summarySteps)]
  const summary = parts.map((text) => ({ type: 'summary_text', text }))
  return { added: shape([], []), steps, done: shape(thought, summary) }
}

/** The events of reasoning that is shown as it is, as open models do. */
function thoughtSteps(text: string): Step[] {
  const place = { content_index: 0 }
  const name = 'response.reasoning_text'
  const deltas = cutIntoDeltas(text).map((delta) => deltaStep(`${name}.delta`, delta, place))
  return [...deltas, { type: `${name}.done`, fields: { ...place, text } }]
}

function summarySteps(text: string, index: number): Step[] {
  const place = { summary_index: index }
  const part = (value: string) => ({ ...place, part: { type: 'summary_text', text: value } })
  const name = 'response.reasoning_summary'
  return [
    { type: `${name}_part.added`, fields: part('') },
    ...cutIntoDeltas(text).map((delta) => deltaStep(`${name}_text.delta`, delta, place)),
    { type: `${name}_text.done`, fields: { ...place, text } },
    { type: `${name}_part.done`, fields: part(text) },
  ]
}

function messageShape(id: string, status: string, content: Body[]): Body {
  return { id, type: 'message', status, content, role: 'assistant' }
}

/** The log probabilities of one delta, as in Responses. */
function logprobOf(token: string): Body {
  return { token, bytes: [...Buffer.from(token)], logprob: -0.25, top_logprobs: [] }
}

function planText(item: Of<'text'>, options: ItemOptions, limit: number): ItemPlan {
  const all = cutIntoDeltas(item.text)
  const deltas = all.slice(0, limit)
  const whole = deltas.length === all.length
  const text = deltas.join('')
  const annotations = whole ? (item.annotations ?? []) : []
  const logprobs = (tokens: string[]) => (options.logprobs ? tokens.map(logprobOf) : [])
  const part = { type: 'output_text', annotations, logprobs: logprobs(deltas), text }
  const place = { content_index: 0 }
  const id = makeId('msg')
  const steps: Step[] = [
    {
      type: 'response.content_part.added',
      fields: { ...place, part: { type: 'output_text', annotations: [], logprobs: [], text: '' } },
    },
    ...deltas.map((delta) =>
      deltaStep('response.output_text.delta', delta, { ...place, logprobs: logprobs([delta]) }),
    ),
    ...annotations.map((annotation, index) => ({
      type: 'response.output_text.annotation.added',
      fields: { ...place, annotation, annotation_index: index },
    })),
    { type: 'response.output_text.done', fields: { ...place, logprobs: logprobs(deltas), text } },
    { type: 'response.content_part.done', fields: { ...place, part } },
  ]
  const done = messageShape(id, whole ? 'completed' : 'incomplete', [part])
  return { added: messageShape(id, 'in_progress', []), steps, done }
}

function planRefusal(item: Of<'refusal'>, limit: number): ItemPlan {
  const all = cutIntoDeltas(item.refusal)
  const deltas = all.slice(0, limit)
  const refusal = deltas.join('')
  const place = { content_index: 0 }
  const id = makeId('msg')
  const part = (value: string) => ({ ...place, part: { type: 'refusal', refusal: value } })
  const steps: Step[] = [
    { type: 'response.content_part.added', fields: part('') },
    ...deltas.map((delta) => deltaStep('response.refusal.delta', delta, place)),
    { type: 'response.refusal.done', fields: { ...place, refusal } },
    { type: 'response.content_part.done', fields: part(refusal) },
  ]
  const status = deltas.length === all.length ? 'completed' : 'incomplete'
  const done = messageShape(id, status, [{ type: 'refusal', refusal }])
  return { added: messageShape(id, 'in_progress', []), steps, done }
}

/** The arguments of a call as the model would write them. */
function writeArguments(value: string | Body): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function planFunction(item: Of<'function'>): ItemPlan {
  const args = writeArguments(item.arguments)
  const [id, call_id] = [makeId('fc'), item.callId ?? makeShortId('call_')]
  const shape = (status: string, value: string) => {
    return { id, type: 'function_call', status, arguments: value, call_id, name: item.name }
  }
  const name = 'response.function_call_arguments'
  const steps: Step[] = [
    ...cutEvenly(args).map((delta) => deltaStep(`${name}.delta`, delta)),
    { type: `${name}.done`, fields: { arguments: args } },
  ]
  return { added: shape('in_progress', ''), steps, done: shape('completed', args) }
}

function planCustom(item: Of<'custom'>): ItemPlan {
  const [id, call_id] = [makeId('ctc'), item.callId ?? makeShortId('call_')]
  const shape = (status: string, input: string) => {
    return { id, type: 'custom_tool_call', status, call_id, input, name: item.name }
  }
  const name = 'response.custom_tool_call_input'
  const steps: Step[] = [
    ...cutEvenly(item.input).map((delta) => deltaStep(`${name}.delta`, delta)),
    { type: `${name}.done`, fields: { input: item.input } },
  ]
  return { added: shape('in_progress', ''), steps, done: shape('completed', item.input) }
}
