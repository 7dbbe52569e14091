import type { Actor } from '../auth'
import { type Reservation, reserveUse } from '../usage'
import type { ModelPath } from './asked'
import { type Bounds, boundUse } from './bounds'
import type { Question } from './question'
import type { Target } from './targets'
import { asList, type JsonObject } from './translate/json'

/**
 * Sets aside what a call with this target may cost at most; null where nothing limits the caller. Throws budget_exceeded,
 * too_many_requests, and forbidden for a model without a price.
 */
export async function reserve(
  actor: Actor,
  question: Question,
  { key, model }: Target,
  isAgain: boolean,
): Promise<Reservation | null> {
  if (actor.policy === null) return null
  const asked = { provider: key.provider, model: modelFor(question.path, model) }
  const bounds = boundsOf(question, { key, model })
  return reserveUse(actor, { ...asked, surface: 'gateway', ...bounds, isAgain })
}

/** What a call with this target may use at most, and is likely to. */
export function boundsOf(question: Question, { key, model: named }: Target): Bounds {
  const { path } = question
  const { body, bytes } = withEarlier(question)
  const model = modelFor(path, named)
  return boundUse(path, { ...body, model }, bytes, { provider: key.provider, model })
}

/** The call as it goes out where what was said before is kept here: all of it is told again, and nothing is hidden. */
export function withEarlier({ body, bytes, earlier = [] }: Question): { body: JsonObject; bytes: number } {
  if (earlier.length === 0) return { body, bytes: bytes.byteLength }
  const { previous_response_id: _, input, ...rest } = body
  const said = typeof input === 'string' ? [{ role: 'user', content: input }] : asList(input)
  return {
    body: { ...rest, input: [...earlier, ...said] },
    bytes: bytes.byteLength + Buffer.byteLength(JSON.stringify(earlier)),
  }
}

/** What these calls are asked of where they name no model; of the others, whoever answers decides. */
const usualModels: Partial<Record<ModelPath, string>> = { '/moderations': 'omni-moderation-latest' }

/** The model that the ledger and the prices know a call by. */
export function modelFor(path: ModelPath, model: string | null): string {
  return model ?? usualModels[path] ?? 'unknown'
}
