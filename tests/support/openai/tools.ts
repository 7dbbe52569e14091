import { cutEvenly, deltaStep, type ItemPlan, type Step } from './plan.ts'
import type { Body, ScriptItem } from './types.ts'
import { makeId } from './wire.ts'

type Of<T extends ScriptItem['type']> = Extract<ScriptItem, { type: T }>

type Hosted = Exclude<ScriptItem, Of<'reasoning' | 'text' | 'refusal' | 'function' | 'custom' | 'raw'>>

/** The smallest PNG, transparent; the image of every scripted image call. */
export const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** Plans the events of a tool that OpenAI runs itself. */
export function planHostedTool(item: Hosted): ItemPlan {
  switch (item.type) {
    case 'web_search':
      return planWebSearch(item)
    case 'file_search':
      return planFileSearch(item)
    case 'code_interpreter':
      return planCode(item)
    case 'image_generation':
      return planImage(item)
    case 'mcp_list_tools':
      return planMcpList(item)
    case 'mcp_call':
      return planMcpCall(item)
    case 'mcp_approval':
      return planMcpApproval(item)
  }
}

const marks = (call: string, ...phases: string[]): Step[] =>
  phases.map((phase) => ({ type: `response.${call}.${phase}`, fields: {} }))

const deltas = (type: string, text: string): Step[] => cutEvenly(text).map((delta) => deltaStep(type, delta))

function planWebSearch(item: Of<'web_search'>): ItemPlan {
  const base = { id: makeId('ws'), type: 'web_search_call' }
  const sources = (item.sources ?? []).map((url) => ({ type: 'url', url }))
  const action = { type: 'search', query: item.query, sources }
  return {
    added: { ...base, status: 'in_progress' },
    steps: marks('web_search_call', 'in_progress', 'searching', 'completed'),
    done: { ...base, status: 'completed', action },
  }
}

function planFileSearch(item: Of<'file_search'>): ItemPlan {
  const base = { id: makeId('fs'), type: 'file_search_call' }
  return {
    added: { ...base, status: 'in_progress', queries: [], results: null },
    steps: marks('file_search_call', 'in_progress', 'searching', 'completed'),
    done: { ...base, status: 'completed', queries: item.queries, results: item.results ?? null },
  }
}

function planCode(item: Of<'code_interpreter'>): ItemPlan {
  const base = { id: makeId('ci'), type: 'code_interpreter_call' }
  const container_id = makeId('cntr')
  const outputs: Body[] = item.logs === undefined ? [] : [{ type: 'logs', logs: item.logs }]
  const code = 'response.code_interpreter_call_code'
  return {
    added: { ...base, status: 'in_progress', code: '', container_id, outputs: [] },
    steps: [
      ...marks('code_interpreter_call', 'in_progress'),
      ...deltas(`${code}.delta`, item.code),
      { type: `${code}.done`, fields: { code: item.code } },
      ...marks('code_interpreter_call', 'interpreting', 'completed'),
    ],
    done: { ...base, status: 'completed', code: item.code, container_id, outputs },
  }
}

function planImage(item: Of<'image_generation'>): ItemPlan {
  const base = { id: makeId('ig'), type: 'image_generation_call' }
  const result = item.base64 ?? pixel
  const look = { background: 'opaque', output_format: 'png', quality: 'low', size: '1024x1024' }
  const partial = (index: number): Step => ({
    type: 'response.image_generation_call.partial_image',
    fields: { ...look, partial_image_b64: result, partial_image_index: index },
  })
  const revised_prompt = item.prompt ?? 'A picture.'
  return {
    added: { ...base, status: 'in_progress' },
    steps: [
      ...marks('image_generation_call', 'in_progress', 'generating'),
      ...Array.from({ length: item.partials ?? 0 }, (_, index) => partial(index)),
      ...marks('image_generation_call', 'completed'),
    ],
    done: { ...base, status: 'completed', action: 'generate', ...look, result, revised_prompt },
  }
}

function planMcpList(item: Of<'mcp_list_tools'>): ItemPlan {
  const base = { id: makeId('mcpl'), type: 'mcp_list_tools', server_label: item.server }
  const failed = item.error === undefined ? {} : { error: item.error }
  return {
    added: { ...base, tools: [] },
    steps: marks('mcp_list_tools', 'in_progress', item.error === undefined ? 'completed' : 'failed'),
    done: { ...base, ...failed, tools: item.tools ?? [] },
  }
}

function planMcpCall(item: Of<'mcp_call'>): ItemPlan {
  const id = makeId('mcp')
  const shape = (status: string, args: string, error: string | null, output: string | null): Body => ({
    id,
    type: 'mcp_call',
    status,
    approval_request_id: null,
    arguments: args,
    error,
    name: item.name,
    output,
    server_label: item.server,
  })
  const { error = null, output = null } = item
  const name = 'response.mcp_call_arguments'
  return {
    added: shape('in_progress', '', null, null),
    steps: [
      ...marks('mcp_call', 'in_progress'),
      ...deltas(`${name}.delta`, item.arguments),
      { type: `${name}.done`, fields: { arguments: item.arguments } },
      ...marks('mcp_call', error === null ? 'completed' : 'failed'),
    ],
    done: shape(error === null ? 'completed' : 'failed', item.arguments, error, output),
  }
}

function planMcpApproval(item: Of<'mcp_approval'>): ItemPlan {
  const base = { id: makeId('mcpr'), type: 'mcp_approval_request', arguments: item.arguments }
  const whole = { ...base, name: item.name, server_label: item.server }
  return { added: whole, steps: [], done: whole }
}
