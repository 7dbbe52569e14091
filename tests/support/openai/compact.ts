import type { Exchange } from './exchange.ts'
import { inputItems } from './responses.ts'
import { countTokens } from './text.ts'
import { encodeAscii, makeId, makeShortId, nowSeconds } from './wire.ts'

/** Answers `POST /v1/responses/compact`: what users said, then one sealed item for all the rest. */
export function compactConversation({ body }: Exchange): string {
  const said = inputItems(body).filter(({ role }) => role === 'user')
  const compaction = {
    id: makeId('cmp'),
    type: 'compaction',
    encrypted_content: makeShortId('gAAAAAB', 200),
  }
  const input = countTokens(body.input)
  return encodeAscii({
    id: makeId('resp'),
    object: 'response.compaction',
    created_at: nowSeconds(),
    output: [...said, compaction],
    usage: {
      input_tokens: input,
      input_tokens_details: { cache_write_tokens: 0, cached_tokens: 0 },
      output_tokens: 50,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + 50,
    },
  })
}
