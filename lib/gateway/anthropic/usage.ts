import { isObject, type JsonObject } from './json'

/** Counts of a message, as far as they are known. */
export type Counts = {
  input: number
  cacheRead: number
  cacheWritten: number
  output: number
  thinking: number
}

export const noCounts: Counts = { input: 0, cacheRead: 0, cacheWritten: 0, output: 0, thinking: 0 }

/** What a `usage` of Anthropic's says over what was known before: in a stream each one tells the totals up to then. */
export function readCounts(usage: unknown, before: Counts = noCounts): Counts {
  if (!isObject(usage)) return before
  const details = isObject(usage.output_tokens_details) ? usage.output_tokens_details : {}
  return {
    input: countOf(usage.input_tokens) ?? before.input,
    cacheRead: countOf(usage.cache_read_input_tokens) ?? before.cacheRead,
    cacheWritten: countOf(usage.cache_creation_input_tokens) ?? before.cacheWritten,
    output: countOf(usage.output_tokens) ?? before.output,
    thinking: countOf(details.thinking_tokens) ?? before.thinking,
  }
}

function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined
}

/**
 * The same as OpenAI counts: what was read from or written to the cache is part of the prompt, which Anthropic tells
 * apart from it. What was written, which costs more, has a name of its own that OpenAI does not know.
 */
export function toChatUsage({ input, cacheRead, cacheWritten, output, thinking }: Counts): JsonObject {
  const prompt = input + cacheRead + cacheWritten
  return {
    prompt_tokens: prompt,
    completion_tokens: output,
    total_tokens: prompt + output,
    prompt_tokens_details: {
      cached_tokens: cacheRead,
      audio_tokens: 0,
      ...(cacheWritten > 0 && { cache_creation_tokens: cacheWritten }),
    },
    completion_tokens_details: {
      reasoning_tokens: thinking,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}
