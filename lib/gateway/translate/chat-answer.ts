import { asList, asObject, asText, isObject, type JsonObject } from './json'
import { thinkingIn } from './thinking'

/** What one chunk of a chat completion, or a whole one, adds to the answer. */
export type Delta = {
  reasoning: string
  text: string
  refusal: string
  calls: CallPiece[]
  annotations: JsonObject[]
  logprobs: JsonObject[]
  /** What was thought, in the form in which its server takes it back. */
  thinking: JsonObject[]
}

/** A piece of a call, as it came: empty texts are what did not come with this piece. */
export type CallPiece = { index: number | null; id: string; name: string; text: string; isCustom: boolean }

/** The choice that was asked for; null where the chunk has none. */
export function choiceIn(chunk: JsonObject): JsonObject | null {
  const choice = asList(chunk.choices).find((each) => isObject(each) && (each.index ?? 0) === 0)
  return isObject(choice) ? choice : null
}

/** What a server says is wrong instead of answering; undefined where nothing is. vLLM and others say it bare. */
export function faultIn(chunk: JsonObject): unknown {
  if (chunk.error !== undefined && chunk.error !== null) return chunk
  if (chunk.choices === undefined && typeof chunk.message === 'string') return chunk
  const choice = choiceIn(chunk)
  const isFaulty = choice !== null && (isObject(choice.error) || choice.finish_reason === 'error')
  return isFaulty ? choice : undefined
}

/** Reads what a choice says, in `delta` or `message`. */
export function readDelta(choice: JsonObject): Delta {
  const delta = asObject(choice.delta ?? choice.message)
  const { content } = delta
  const isParts = Array.isArray(content)
  return {
    reasoning:
      asText(delta.reasoning_content) || asText(delta.reasoning) || (isParts ? thoughtIn(content) : ''),
    text: isParts ? content.map((part) => asText(asObject(part).text)).join('') : asText(content),
    refusal: asText(delta.refusal),
    calls: callsIn(delta),
    annotations: asList(delta.annotations).flatMap(readAnnotation),
    logprobs: asList(asObject(choice.logprobs).content).map(readLogprob),
    thinking: thinkingIn(delta),
  }
}

/** Mistral's models think in parts of the content. */
function thoughtIn(content: unknown[]): string {
  const thoughts = content.flatMap((part) => asList(asObject(part).thinking))
  return thoughts.map((part) => asText(asObject(part).text)).join('')
}

function callsIn(delta: JsonObject): CallPiece[] {
  const { function_call: single } = delta
  if (isObject(single)) return [readCall({ index: 0, function: single })]
  return asList(delta.tool_calls).map((call) => readCall(asObject(call)))
}

function readCall(call: JsonObject): CallPiece {
  const isCustom = call.type === 'custom' || isObject(call.custom)
  const said = asObject(isCustom ? call.custom : call.function)
  const args = isCustom ? said.input : said.arguments
  return {
    index: typeof call.index === 'number' ? call.index : null,
    id: asText(call.id),
    name: asText(said.name),
    // Some servers give the arguments as the object that they are.
    text: isObject(args) ? JSON.stringify(args) : asText(args),
    isCustom,
  }
}

function readAnnotation(annotation: unknown): JsonObject[] {
  const { type, url_citation } = asObject(annotation)
  if (type !== 'url_citation' || !isObject(url_citation)) return []
  const { start_index, end_index, title, url } = url_citation
  if (typeof url !== 'string') return []
  const place = (value: unknown) => (typeof value === 'number' ? value : 0)
  return [
    { type, end_index: place(end_index), start_index: place(start_index), title: asText(title) || url, url },
  ]
}

function readLogprob(value: unknown): JsonObject {
  const entry = asObject(value)
  return { ...tokenOf(entry), top_logprobs: asList(entry.top_logprobs).map((top) => tokenOf(asObject(top))) }
}

function isBytes(value: unknown): boolean {
  return Array.isArray(value) && value.every((byte) => Number.isInteger(byte))
}

function tokenOf({ token, bytes, logprob }: JsonObject): JsonObject {
  const text = asText(token)
  return {
    token: text,
    bytes: isBytes(bytes) ? bytes : [...Buffer.from(text)],
    logprob: typeof logprob === 'number' ? logprob : 0,
  }
}
