import { deltasBefore, deltasBeforeFailure } from './ends.ts'
import { type ItemOptions, planItem } from './items.ts'
import type { ItemPlan } from './plan.ts'
import { cutIntoDeltas, defaultText } from './text.ts'
import type { Body, Script, ScriptItem } from './types.ts'

/** The items of an answer: those of the script, or the echo, after an empty reasoning item where models reason. */
export function composeItems(request: Body, script: Script): ScriptItem[] {
  if (script.items !== undefined) return script.items
  const thinks = /^(o\d|gpt-5)/.test(String(request.model))
  const reasoning: ScriptItem[] =
    script.reasoning !== undefined || thinks ? [{ type: 'reasoning', summary: script.reasoning }] : []
  if (script.refusal !== undefined) return [...reasoning, { type: 'refusal', refusal: script.refusal }]
  const forced = forcedTool(request)
  if (forced !== undefined && script.text === undefined) {
    return [...reasoning, { type: 'function', name: forced, arguments: '{}' }]
  }
  return [...reasoning, { type: 'text', text: script.text ?? defaultText(request) }]
}

type Tool = { type?: string; name?: string; function?: { name?: string } }

/** The function that `tool_choice` demands: the named one, or the first one if any is required. */
function forcedTool(request: Body): string | undefined {
  const choice = request.tool_choice as string | Tool | undefined
  const nameOf = (tool: Tool | undefined) => tool?.name ?? tool?.function?.name
  if (typeof choice === 'object') return nameOf(choice)
  if (choice !== 'required' || !Array.isArray(request.tools)) return undefined
  return nameOf((request.tools as Tool[]).find((tool) => tool.type === 'function'))
}

/** An answer laid out: its items, whether it was cut short, and after how many deltas it fails. */
export type Answer = { plans: ItemPlan[]; truncated: boolean; deltas: number; failsAfter?: number }

/** Lays out the whole answer to a Responses request. */
export function planAnswer(request: Body, script: Script): Answer {
  const items = composeItems(request, script)
  const total = countDeltas(items)
  const { end = 'completed' } = script
  const most = Math.min(Number(request.max_output_tokens ?? Number.POSITIVE_INFINITY), total)
  const limit = end === 'incomplete' ? Math.min(deltasBefore(script, total), most) : most
  const plans = planWithin(items, itemOptions(request), limit)
  const truncated = end === 'incomplete' || limit < total
  return { plans, truncated, deltas: Math.min(limit, total), failsAfter: deltasBeforeFailure(script, total) }
}

function itemOptions(request: Body): ItemOptions {
  const include = Array.isArray(request.include) ? request.include : []
  return {
    encryptedReasoning: include.includes('reasoning.encrypted_content'),
    logprobs: include.includes('message.output_text.logprobs'),
  }
}

/** Counts the deltas of messages; what tools and summaries write is not limited. */
function countDeltas(items: ScriptItem[]): number {
  return items.map(messageDeltas).reduce((sum, count) => sum + count, 0)
}

function messageDeltas(item: ScriptItem): number {
  if (item.type === 'text') return cutIntoDeltas(item.text).length
  return item.type === 'refusal' ? cutIntoDeltas(item.refusal).length : 0
}

function planWithin(items: ScriptItem[], options: ItemOptions, limit: number): ItemPlan[] {
  let left = limit
  const plans: ItemPlan[] = []
  for (const item of items) {
    if (left <= 0 && messageDeltas(item) > 0 && plans.length > 0) break
    plans.push(planItem(item, options, left))
    left -= messageDeltas(item)
  }
  return plans
}
