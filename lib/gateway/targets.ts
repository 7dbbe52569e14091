import type { Actor } from '../auth'
import { AppError } from '../errors'
import { type LentKey, listLentKeys } from '../vault'
import { fileIdsIn } from './file-ids'
import { requireOwnFiles } from './own-files'
import { noModel, type Question } from './question'

/** Whom a call may go to: one key, and the model to ask for (null: the call names none). */
export type Target = { key: LentKey; model: string | null }

const isClaude = (model: string | null) => model !== null && /^claude\b/i.test(model)

/**
 * Whom to ask, one after the other: the first key of the vault's order that can serve the model; where the caller's API
 * key says so, the keys after it, and then other models. Throws provider_auth and not_found where there is none,
 * not_found for files that are not the caller's, and invalid_input where that is for want of a name.
 */
export async function listTargets(actor: Actor, question: Question): Promise<Target[]> {
  const keys = await listLentKeys(actor, question.want)
  const { fallbackCredentials = false, fallbackModels = [] } = actor.policy ?? {}
  const models = [question.model, ...fallbackModels.filter((model) => model !== question.model)]
  const targets = models.flatMap((model) => {
    const serving = servingKeys(keys, model)
    const chosen = fallbackCredentials ? serving : serving.slice(0, 1)
    return chosen.map((key) => ({ key, model: key.provider === 'demo' ? 'demo' : model }))
  })
  if (targets.length > 0) return keepReaching(actor, question, targets)
  if (keys.length > 0) throw question.model === null ? unnamed() : noModel(question.model)
  throw noKey()
}

/** Of the targets, those where the caller's files lie that the question names. Throws not_found for a stranger's file. */
async function keepReaching(actor: Actor, { body }: Question, targets: Target[]): Promise<Target[]> {
  const fileIds = fileIdsIn(body)
  if (fileIds.length === 0) return targets
  const checks = targets.map(({ key }) => requireOwnFiles(actor, key, fileIds))
  const checked = await Promise.allSettled(checks)
  const reaching = targets.filter((_, index) => checked[index]?.status === 'fulfilled')
  if (reaching.length === 0) await checks[0]
  return reaching
}

/**
 * The keys that may know a model, in their order. Anthropic's know Claude alone, by names without a maker before them,
 * which OpenAI does not know; the demo model answers where there is no key at all.
 */
function servingKeys(keys: LentKey[], model: string | null): LentKey[] {
  const real = keys.filter(({ provider }) => provider !== 'demo')
  if (real.length === 0) return keys
  if (!isClaude(model)) return real.filter(({ provider }) => provider !== 'anthropic')
  const theirs = real.filter(({ provider }) => provider === 'anthropic')
  const others = real.filter(({ provider }) => provider === 'openai-compatible')
  const fitting = [...theirs, ...others]
  return fitting.length > 0 ? fitting : real
}

function unnamed(): AppError {
  const message = "Missing required parameter: 'model'."
  const facts = { code: 'missing_required_parameter' }
  return new AppError('invalid_input', message, { facts, issues: [{ path: 'model', message }] })
}

/** What to say where no key of the vault serves. */
export function noKey(): AppError {
  const message = 'There is no key of a model server for this. Add one in the vault of AL-Chat.'
  return new AppError('provider_auth', message, { facts: { code: 'no_provider_key' } })
}
