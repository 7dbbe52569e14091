import { z } from 'zod'
import { comingTime, Id, line } from './primitives'

/** What a key may be used for. `credentials:read` and `launch` are for admins' keys alone. */
export const Scope = z.enum(['chat', 'gateway', 'portal:read', 'portal:write', 'credentials:read', 'launch'])
export type Scope = z.infer<typeof Scope>

/** Scopes that only an admin can give to a key, and that count only while its owner is one. */
export const adminScopes: readonly Scope[] = ['credentials:read', 'launch']

/** The least and the most that a budget can be, in US dollars: what the database's column holds. */
const budget = { min: 0.000001, max: 999_999 } as const

/** The name of a model, or the beginning of several with `*` at its end. */
const modelPattern = z
  .string()
  .regex(/^[\w][\w.:/@+-]{0,199}\*?$|^\*$/, 'Enter the name of a model, such as gpt-5*.')
/** A model by its name, or `agent:` and an agent's id. */
const modelName = z.string().regex(/^[\w][\w.:/@+-]{0,199}$/, 'Enter the name of a model.')

/** Over which time a budget is counted: a day or a month of UTC, or for good. */
export const BudgetPeriod = z.enum(['day', 'month', 'total'], 'Choose day, month or total.')
export type BudgetPeriod = z.infer<typeof BudgetPeriod>

const distinct = (names: string[]) => new Set(names).size === names.length

/** A whole number of something, from one up. */
function count(max: number) {
  const message = `Enter a whole number from 1 to ${max.toLocaleString('en')}.`
  return z.number(message).int(message).min(1, message).max(max, message)
}

/** What of a key can be changed: what it is called, and what it may do in the gateway. */
const policyFields = {
  name: line(120),
  budget_usd: z
    .number('Enter an amount in US dollars, as a number.')
    .min(budget.min, 'A budget is more than nothing.')
    .max(budget.max, `At most ${budget.max.toLocaleString('en')} US dollars.`)
    .nullish(),
  budget_period: BudgetPeriod,
  /** Empty: all. */
  allowed_models: z
    .array(modelPattern)
    .max(100, 'At most 100 models.')
    .refine(distinct, 'Name each model once.'),
  requests_per_minute: count(1_000_000).nullish(),
  tokens_per_minute: count(1_000_000_000).nullish(),
  /** Whether the next key of the vault's order is asked where one fails. */
  fallback_credentials: z.boolean(),
  /** Asked one after the other where the model that was asked for fails. */
  fallback_models: z.array(modelName).max(5, 'At most 5 models.').refine(distinct, 'Name each model once.'),
  /** How long an answer serves the same question again, in seconds. */
  cache_seconds: count(604_800).nullish(),
}

/** Body of `POST /api/keys`. Without `project_id` the key reaches what its owner reaches, without `expires_at` it lasts. */
export const CreateKey = z.strictObject({
  ...policyFields,
  scopes: z
    .array(Scope)
    .min(1, 'Choose at least one.')
    .max(Scope.options.length, 'Name each scope once.')
    .refine((scopes) => new Set(scopes).size === scopes.length, 'Name each scope once.'),
  project_id: Id.nullish(),
  expires_at: comingTime('Enter a time such as 2030-01-31T12:00:00Z.').nullish(),
  budget_period: policyFields.budget_period.default('total'),
  allowed_models: policyFields.allowed_models.default([]),
  fallback_credentials: policyFields.fallback_credentials.default(false),
  fallback_models: policyFields.fallback_models.default([]),
})
export type CreateKey = z.input<typeof CreateKey>

/** Body of `PATCH /api/keys/{id}`: what is not given stays as it is. */
export const UpdateKey = z.strictObject(policyFields).partial()
export type UpdateKey = z.output<typeof UpdateKey>

export const KeyParams = z.strictObject({ keyId: Id })

/** What a key may do in the gateway, beside its scopes. */
export type KeyPolicy = {
  budgetUsd: string | null
  budgetPeriod: BudgetPeriod
  allowedModels: readonly string[]
  requestsPerMinute: number | null
  tokensPerMinute: number | null
  fallbackCredentials: boolean
  fallbackModels: readonly string[]
  cacheSeconds: number | null
}

/** Whether a key may use this model (null: none is named); without a list, it may use all. */
export function isModelAllowed(
  policy: Pick<KeyPolicy, 'allowedModels'> | null,
  model: string | null,
): boolean {
  if (policy === null || policy.allowedModels.length === 0) return true
  if (model === null) return false
  return policy.allowedModels.some((allowed) =>
    allowed.endsWith('*') ? model.startsWith(allowed.slice(0, -1)) : model === allowed,
  )
}

/** A key as it may be seen, masked. Times are ISO 8601 UTC. */
export type KeyRecord = {
  id: string
  name: string
  /** The last four characters of the key. */
  last4: string
  scopes: Scope[]
  /** The one project that the key reaches; null: all that its owner reaches. */
  project_id: string | null
  budget_usd: number | null
  budget_period: BudgetPeriod
  /** What it has spent in the current period; null where there is no budget. */
  spent_usd: number | null
  allowed_models: string[]
  requests_per_minute: number | null
  tokens_per_minute: number | null
  fallback_credentials: boolean
  fallback_models: string[]
  cache_seconds: number | null
  created_at: string
  /** Null: it lasts until it is revoked. A key that has run out is listed until then, too. */
  expires_at: string | null
  last_used_at: string | null
}

/** The answer of `POST /api/keys`: the only time that the key itself is shown. */
export type CreatedKey = KeyRecord & { key: string }

/** One call of the gateway with a key, as `GET /api/keys/{id}/traffic` tells it, newest first. */
export type TrafficEntry = {
  id: string
  at: string
  /** Such as `/chat/completions`. */
  endpoint: string | null
  model: string
  provider: string
  /** What the key that served is called in the vault. */
  credential_label: string | null
  /** The HTTP status that the model server answered with; null where it did not. */
  status: number | null
  outcome: 'completed' | 'stopped' | 'interrupted' | 'failed'
  input_tokens: number
  cached_tokens: number
  output_tokens: number
  /** The tokens were estimated, since the server told none. */
  estimated: boolean
  /** Null where nobody knows the price. */
  cost_usd: number | null
  first_token_ms: number | null
  duration_ms: number
  retries: number
  cache: 'hit' | 'miss' | null
  request_id: string | null
}
