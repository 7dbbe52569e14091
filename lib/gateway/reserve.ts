import type { Actor } from '../auth'
import { type Reservation, reserveUse } from '../usage'
import type { ModelPath } from './asked'
import { boundUse } from './bounds'
import type { Question } from './question'
import type { Target } from './targets'

/**
 * Sets aside what a call with this target may cost at most; null where nothing limits the caller. Throws budget_exceeded,
 * too_many_requests, and forbidden for a model without a price.
 */
export async function reserve(
  actor: Actor,
  { path, body, bytes }: Question,
  { key, model }: Target,
  isAgain: boolean,
): Promise<Reservation | null> {
  if (actor.policy === null) return null
  const asked = { provider: key.provider, model: modelFor(path, model) }
  const bounds = boundUse(path, { ...body, model: asked.model }, bytes.byteLength, asked)
  return reserveUse(actor, { ...asked, surface: 'gateway', ...bounds, isAgain })
}

/** What these calls are asked of where they name no model; of the others, whoever answers decides. */
const usualModels: Partial<Record<ModelPath, string>> = { '/moderations': 'omni-moderation-latest' }

/** The model that the ledger and the prices know a call by. */
export function modelFor(path: ModelPath, model: string | null): string {
  return model ?? usualModels[path] ?? 'unknown'
}
