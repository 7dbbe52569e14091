import type { Exchange } from './exchange.ts'
import { findPrevious } from './responses.ts'
import type { Store, StoredResponse } from './store.ts'
import { countTokens } from './text.ts'
import type { Body } from './types.ts'
import { encodePretty } from './wire.ts'

/** What every picture is read as. */
const pictureTokens = 765

/** Answers `POST /v1/responses/input_tokens`: what is told, what its files hold, and all that was said before. */
export function countInputTokens({ body }: Exchange, store: Store): string {
  const previous = findPrevious(body, store)
  const tokens =
    countTokens(body.instructions) + countItems(body.input, store) + countContext(previous, store)
  return encodePretty({ object: 'response.input_tokens', input_tokens: tokens })
}

function countContext(stored: StoredResponse | undefined, store: Store): number {
  if (stored === undefined) return 0
  const { input, stream, previous } = stored
  return countItems(input, store) + countTokens(stream.body.output) + countContext(previous, store)
}

function countItems(input: unknown, store: Store): number {
  if (!Array.isArray(input)) return countTokens(input)
  const parts = (input as Body[]).flatMap(({ content }) =>
    Array.isArray(content) ? (content as Body[]) : [],
  )
  const beside = parts.reduce((sum, part) => sum + countPart(part, store), 0)
  return beside + countTokens(input)
}

function countPart({ type, file_id: id }: Body, store: Store): number {
  if (type === 'input_image') return pictureTokens
  return Math.ceil((store.files.get(String(id))?.bytes.length ?? 0) / 4)
}
