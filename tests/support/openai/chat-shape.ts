import { composeItems } from './answer.ts'
import { deltasBefore, deltasBeforeFailure } from './ends.ts'
import { snapshotOf } from './models.ts'
import { cutEvenly } from './plan.ts'
import { countTokens, cutIntoDeltas, defaultText } from './text.ts'
import type { Body, Script, ScriptItem } from './types.ts'
import { makeShortId, nowSeconds } from './wire.ts'

/** A call to a tool in a chat answer, its arguments as deltas. */
export type ChatCall = { id: string; type: 'function' | 'custom'; name: string; pieces: string[] }

/** One choice of a chat answer, laid out as deltas. */
export type ChatChoice = {
  index: number
  text: string[]
  reasoning: string[]
  refusal: string[]
  calls: ChatCall[]
  finish: 'stop' | 'length' | 'tool_calls' | 'content_filter'
}

/** A chat answer laid out: what every chunk repeats, its choices, its usage, and where it fails. */
export type ChatAnswer = {
  head: Body
  choices: ChatChoice[]
  usage: Body
  deltas: number
  failsAfter?: number
}

/** Lays out the whole answer to a chat request. */
export function planChat(request: Body, script: Script): ChatAnswer {
  const count = Number(request.n ?? 1)
  const choices = Array.from({ length: count }, (_, index) => planChoice(request, script, index))
  const deltas = choices.map(countDeltas).reduce((sum, each) => sum + each, 0)
  const id = `chatcmpl-${makeShortId('', 29)}`
  const head = { id, created: nowSeconds(), model: snapshotOf(String(request.model)) }
  return {
    head,
    choices,
    usage: chatUsage(request, deltas, script),
    deltas,
    failsAfter: deltasBeforeFailure(script, deltas),
  }
}

function planChoice(request: Body, script: Script, index: number): ChatChoice {
  const items = composeItems(request, script)
  const most = Number(request.max_completion_tokens ?? request.max_tokens ?? Number.POSITIVE_INFINITY)
  const all = items.flatMap(textDeltas)
  const scripted = script.text !== undefined || script.items !== undefined
  const marked = index === 0 || scripted || all.length === 0 ? all : [...all, ` (${index + 1})`]
  const limit = script.end === 'incomplete' ? Math.min(most, deltasBefore(script, all.length)) : most
  const text = marked.slice(0, limit)
  const calls = items.flatMap(callsOf)
  const short = script.end === 'incomplete' || text.length < marked.length
  const cut = script.reason === 'content_filter' ? 'content_filter' : 'length'
  const finish = short ? cut : calls.length > 0 ? 'tool_calls' : 'stop'
  const reasoning = items.flatMap(reasoningDeltas)
  return { index, text, reasoning, refusal: items.flatMap(refusalDeltas), calls, finish }
}

function textDeltas(item: ScriptItem): string[] {
  return item.type === 'text' ? cutIntoDeltas(item.text) : []
}

function refusalDeltas(item: ScriptItem): string[] {
  return item.type === 'refusal' ? cutIntoDeltas(item.refusal) : []
}

function reasoningDeltas(item: ScriptItem): string[] {
  return item.type === 'reasoning'
    ? [item.text ?? [], item.summary ?? []].flat().flatMap((part) => cutIntoDeltas(part))
    : []
}

function callsOf(item: ScriptItem): ChatCall[] {
  if (item.type !== 'function' && item.type !== 'custom') return []
  const written = item.type === 'custom' ? item.input : item.arguments
  const text = typeof written === 'string' ? written : JSON.stringify(written)
  const id = item.callId ?? makeShortId('call_')
  return [{ id, type: item.type, name: item.name, pieces: cutEvenly(text) }]
}

function countDeltas({ text, reasoning, refusal, calls }: ChatChoice): number {
  const pieces = calls.reduce((sum, call) => sum + call.pieces.length, 0)
  return text.length + reasoning.length + refusal.length + pieces
}

/** Counts the usage of a chat answer of so many deltas, unless the script tells it. */
function chatUsage(request: Body, deltas: number, { usage = {} }: Script): Body {
  const prompt = usage.input ?? countTokens(request.messages)
  const completion = usage.output ?? deltas + (usage.reasoning ?? 0)
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: usage.cached ?? 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoning ?? 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}

/** The log probabilities of tokens, as in chat; `null` unless they were asked for. */
export function chatLogprobs(request: Body, tokens: string[]): Body | null {
  if (request.logprobs !== true) return null
  const content = tokens.map((token) => ({
    token,
    logprob: -0.25,
    bytes: [...Buffer.from(token)],
    top_logprobs: [],
  }))
  return { content, refusal: null }
}

/** A tool call as it is in a whole answer. */
function wholeCall({ id, type, name, pieces }: ChatCall): Body {
  const written = pieces.join('')
  if (type === 'custom') return { id, type, custom: { name, input: written } }
  return { id, type, function: { name, arguments: written } }
}

/** Builds the body of a whole chat answer, its keys in the order of the wire. */
export function wholeChat(request: Body, answer: ChatAnswer): Body {
  const { id, created, model } = answer.head
  const choices = answer.choices.map((choice) => ({
    index: choice.index,
    message: wholeMessage(choice),
    logprobs: chatLogprobs(request, choice.text),
    finish_reason: choice.finish,
  }))
  const tail = { usage: answer.usage, service_tier: 'default', system_fingerprint: 'fp_al0test0' }
  return { id, object: 'chat.completion', created, model, choices, ...tail }
}

const joined = (pieces: string[]): string | null => (pieces.length === 0 ? null : pieces.join(''))

function wholeMessage({ text, reasoning, refusal, calls }: ChatChoice): Body {
  const tools = calls.length === 0 ? {} : { tool_calls: calls.map(wholeCall) }
  const thought = reasoning.length === 0 ? {} : { reasoning_content: reasoning.join('') }
  const content = calls.length + refusal.length === 0 ? text.join('') : joined(text)
  return { role: 'assistant', content, ...thought, ...tools, refusal: joined(refusal), annotations: [] }
}

/** What is said by legacy completions; with `echo` after the prompt itself. */
export function completionDeltas(request: Body, script: Script): string[] {
  const said = cutIntoDeltas(script.text ?? defaultText(request))
  return request.echo === true ? [String(request.prompt), ...said] : said
}
