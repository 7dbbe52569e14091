import { createHash } from 'node:crypto'
import { askToThink, type ClaudeTraits, type ThinkingAsked, traitsOfClaude } from '../../providers'
import { invalid, isObject, type JsonObject, textOf, unsupported } from './json'
import { toEnforceable } from './schema'
import { type Toolbox, toToolbox } from './tools'
import { type Conversation, toConversation } from './turns'

/**
 * How many tokens an answer may have where the caller does not say, thinking included: Anthropic demands a number,
 * OpenAI's models end by themselves.
 */
const defaultMaxTokens = 32_000
const maxStops = 64

/**
 * A request of OpenAI's chat completions as one of Anthropic's Messages API
 * (https://platform.claude.com/docs/en/api/messages/create), for the model that it names.
 *
 * What cannot be done and would change the answer's meaning is refused: more than one choice, logprobs, logit_bias,
 * audio, tools of the provider, files at OpenAI. What only leans or saves is passed over, as Anthropic's own layer for
 * OpenAI's clients does: penalties, seed, prediction, verbosity, service_tier, store, metadata, prompt_cache_key.
 * `thinking` in the request is handed on as it is, for who knows Anthropic's. Throws invalid_input.
 */
export function toMessagesRequest(chat: JsonObject): JsonObject {
  refuseImpossible(chat)
  const model = textOf(chat, 'model')
  if (model === '') throw invalid('model', 'model is the name of a model.')
  const traits = traitsOfClaude(model)
  const conversation = toConversation(chat.messages)
  const toolbox = toToolbox(chat, traits, namesOfCalls(conversation))
  const output = toOutput(chat.response_format, traits)
  const max_tokens = readMaxTokens(chat, traits)
  const asked = askThinking(chat, { traits, conversation, toolbox, max_tokens })
  const system = [conversation.system, toolbox.instruction, output.instruction].filter((text) => text !== '')
  const outputConfig = {
    ...(asked.effort && { effort: asked.effort }),
    ...(output.format && { format: output.format }),
  }
  return {
    model,
    max_tokens,
    ...(system.length > 0 && { system: system.join('\n\n') }),
    messages: conversation.turns,
    ...toSampling(chat, traits, asked),
    ...toStops(chat.stop),
    ...(toolbox.tools.length > 0 && { tools: toolbox.tools }),
    ...(toolbox.choice && { tool_choice: toolbox.choice }),
    ...(asked.thinking && { thinking: asked.thinking }),
    ...(Object.keys(outputConfig).length > 0 && { output_config: outputConfig }),
    ...toMetadata(chat),
    ...(chat.stream === true && { stream: true }),
  }
}

function refuseImpossible(chat: JsonObject): void {
  if (typeof chat.n === 'number' && chat.n !== 1) {
    throw unsupported('n', 'Anthropic’s models give one answer at a time: n must be 1.')
  }
  if (chat.logprobs === true || chat.top_logprobs) {
    throw unsupported('logprobs', 'Anthropic’s models tell no probabilities.')
  }
  if (isObject(chat.logit_bias) && Object.keys(chat.logit_bias).length > 0) {
    throw unsupported('logit_bias', 'Anthropic’s models take no bias of tokens.')
  }
  if (chat.audio || (Array.isArray(chat.modalities) && chat.modalities.includes('audio'))) {
    throw unsupported('modalities', 'Anthropic’s models answer in text only.')
  }
  if (chat.web_search_options) {
    throw unsupported('web_search_options', 'Searching the web is not offered with Anthropic’s models.')
  }
}

function namesOfCalls({ turns }: Conversation): string[] {
  const blocks = turns.flatMap(({ content }) => content)
  return blocks.flatMap((block) => (block.type === 'tool_use' ? [textOf(block, 'name')] : []))
}

/** More than the model's most is as good as its most. */
function readMaxTokens(chat: JsonObject, { maxOutputTokens }: ClaudeTraits): number {
  const name = chat.max_completion_tokens == null ? 'max_tokens' : 'max_completion_tokens'
  const given = chat[name] ?? Math.min(defaultMaxTokens, maxOutputTokens)
  if (typeof given !== 'number' || !Number.isInteger(given) || given < 1) {
    throw invalid(name, `${name} is a whole number from 1.`)
  }
  return Math.min(given, maxOutputTokens)
}

type Situation = { traits: ClaudeTraits; conversation: Conversation; toolbox: Toolbox; max_tokens: number }

function askThinking(
  chat: JsonObject,
  { traits, conversation, toolbox, max_tokens: maxTokens }: Situation,
): ThinkingAsked {
  if (isObject(chat.thinking)) return { thinks: chat.thinking.type !== 'disabled', thinking: chat.thinking }
  const effort = textOf(chat, 'reasoning_effort') || null
  // "Thinking may not be enabled when tool_choice forces tool use"; and with a budget, an answer that goes on after the
  // results of tools has to begin with the thoughts that it began with, which most of OpenAI's clients do not keep.
  const isThoughtless = traits.thinking.form === 'budget' && goesOnWithoutThoughts(conversation)
  return askToThink(traits, { effort, maxTokens, mustNotThink: toolbox.isForced || isThoughtless })
}

function goesOnWithoutThoughts({ turns }: Conversation): boolean {
  const answersTools = turns.at(-1)?.content.some(({ type }) => type === 'tool_result')
  const first = textOf(turns.findLast(({ role }) => role === 'assistant')?.content[0], 'type')
  return answersTools === true && first !== 'thinking' && first !== 'redacted_thinking'
}

/**
 * Anthropic's temperature ends at 1, which is what both call 1: OpenAI's 0 to 2 is cut there and not squeezed, or the
 * default would become half of it. Models from 4.7 on take none, nor does one that thinks; and only one of the two.
 */
function toSampling(chat: JsonObject, traits: ClaudeTraits, { thinks }: ThinkingAsked): JsonObject {
  if (!traits.takesSampling || thinks) return {}
  const { temperature, top_p } = chat
  if (typeof temperature === 'number') return { temperature: Math.min(1, Math.max(0, temperature)) }
  return typeof top_p === 'number' ? { top_p } : {}
}

function toStops(stop: unknown): JsonObject {
  const stops = [stop].flat().filter((text) => typeof text === 'string' && text !== '')
  if (stops.some((text) => String(text).trim() === '')) {
    throw unsupported('stop', 'Anthropic’s models do not stop at spaces or line breaks alone.')
  }
  return stops.length === 0 ? {} : { stop_sequences: stops.slice(0, maxStops) }
}

/**
 * Who asks, without saying it: Anthropic wants no names and refuses addresses, and the same person has the same digest.
 */
function toMetadata(chat: JsonObject): JsonObject {
  const user = textOf(chat, 'safety_identifier') || textOf(chat, 'user')
  if (user === '') return {}
  return { metadata: { user_id: createHash('sha256').update(user).digest('hex') } }
}

type Output = { format: JsonObject | null; instruction: string }

/**
 * A schema is enforced where the model does that and the schema can be. Else it is asked for in words, and not by a tool
 * that the model is forced to call: that cannot be had together with thinking, with tools of the caller's, or with the
 * newest models.
 */
function toOutput(format: unknown, traits: ClaudeTraits): Output {
  const type = textOf(format, 'type')
  if (type === '' || type === 'text') return { format: null, instruction: '' }
  if (type === 'json_object') {
    return {
      format: null,
      instruction: 'Answer with one JSON object and nothing else: no words around it, no code fence.',
    }
  }
  const named = isObject(format) ? format.json_schema : null
  const schema = isObject(named) ? named.schema : null
  if (type !== 'json_schema' || !isObject(schema)) {
    throw invalid('response_format', 'response_format is text, json_object or json_schema with a schema.')
  }
  const enforceable = traits.takesSchemas ? toEnforceable(schema) : null
  if (enforceable) return { format: { type: 'json_schema', schema: enforceable }, instruction: '' }
  const instruction = `Answer with one JSON value that fits this JSON Schema and nothing else: no words around it, no code fence.\n${JSON.stringify(schema)}`
  return { format: null, instruction }
}
