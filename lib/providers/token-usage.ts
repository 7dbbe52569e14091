import type { TokenUsage } from '../contracts/conversations'
import { countAt } from './json'

/**
 * What a call used, from the `usage` of an answer in either of OpenAI's dialects (input and output, or prompt and
 * completion); null where it does not say. Embeddings tell no output, which is then none.
 */
export function readUsage(answer: unknown): TokenUsage | null {
  const count = (...path: string[]) => countAt(answer, 'usage', ...path)
  const input = count('input_tokens') ?? count('prompt_tokens')
  const output =
    count('output_tokens') ?? count('completion_tokens') ?? countBeyond(input, count('total_tokens'))
  if (input === undefined || output === undefined) return null
  const cached =
    count('input_tokens_details', 'cached_tokens') ?? count('prompt_tokens_details', 'cached_tokens')
  const written =
    count('input_tokens_details', 'cache_write_tokens') ??
    count('prompt_tokens_details', 'cache_write_tokens')
  const reasoning =
    count('output_tokens_details', 'reasoning_tokens') ??
    count('completion_tokens_details', 'reasoning_tokens')
  return {
    input_tokens: input,
    output_tokens: output,
    total_tokens: count('total_tokens') ?? input + output,
    ...(cached === undefined ? {} : { cached_tokens: cached }),
    ...(written === undefined ? {} : { cache_write_tokens: written }),
    ...(reasoning === undefined ? {} : { reasoning_tokens: reasoning }),
  }
}

function countBeyond(input: number | undefined, total: number | undefined): number | undefined {
  return input === undefined || total === undefined ? undefined : Math.max(0, total - input)
}
