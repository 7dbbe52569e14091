import { parseJson } from '../../providers'
import { asList, asObject, asText, type JsonObject } from './json'

/*
 * Some servers take a thought back only with the signature that they gave to it, as Anthropic's. A chat has such
 * thoughts in `thinking_blocks`; a Response in `encrypted_content`, which is what clients send back unread. It is not
 * encrypted here: it holds no more than its reader was told.
 */

/** What such content begins with, so that OpenAI's own is not taken for it. */
const mark = 'thoughts.'

/** The thoughts of a chat's message or delta that can be sent back. */
export function thinkingIn(message: JsonObject): JsonObject[] {
  return asList(message.thinking_blocks).flatMap((block) => toBlock(asObject(block)))
}

function toBlock({ type, thinking, signature, data }: JsonObject): JsonObject[] {
  if (type === 'redacted_thinking' && typeof data === 'string') return [{ type, data }]
  if (type !== 'thinking' || typeof signature !== 'string') return []
  return [{ type, thinking: asText(thinking), signature }]
}

/** How much such thoughts hold, in UTF-16 units. */
export function unitsOf(thoughts: JsonObject[]): number {
  return thoughts
    .flatMap((block) => Object.values(block))
    .reduce((sum: number, text) => sum + asText(text).length, 0)
}

/** The thoughts as `encrypted_content`. */
export function packThoughts(thoughts: JsonObject[]): string {
  return mark + Buffer.from(JSON.stringify(thoughts)).toString('base64')
}

/** The thoughts in an `encrypted_content`; none where it is not of our making. */
export function unpackThoughts(content: unknown): JsonObject[] {
  if (typeof content !== 'string' || !content.startsWith(mark)) return []
  const thinking_blocks = parseJson(Buffer.from(content.slice(mark.length), 'base64').toString('utf8'))
  return thinkingIn({ thinking_blocks })
}
