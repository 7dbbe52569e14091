import { z } from 'zod'
import { comingTime, Id, line } from './primitives'

/** What a key may be used for. `credentials:read` and `launch` are for admins' keys alone. */
export const Scope = z.enum(['chat', 'gateway', 'portal:read', 'portal:write', 'credentials:read', 'launch'])
export type Scope = z.infer<typeof Scope>

/** Scopes that only an admin can give to a key, and that count only while its owner is one. */
export const adminScopes: readonly Scope[] = ['credentials:read', 'launch']

/** The least and the most that a budget can be, in US dollars: what the database's column holds. */
const budget = { min: 0.000001, max: 999_999 } as const

/** Body of `POST /api/keys`. Without `project_id` the key reaches what its owner reaches, without `expires_at` it lasts. */
export const CreateKey = z.strictObject({
  name: line(120),
  scopes: z
    .array(Scope)
    .min(1, 'Choose at least one.')
    .max(Scope.options.length, 'Name each scope once.')
    .refine((scopes) => new Set(scopes).size === scopes.length, 'Name each scope once.'),
  project_id: Id.nullish(),
  expires_at: comingTime('Enter a time such as 2030-01-31T12:00:00Z.').nullish(),
  budget_usd: z
    .number()
    .min(budget.min, 'A budget is more than nothing.')
    .max(budget.max, `At most ${budget.max} US dollars.`)
    .nullish(),
})
export type CreateKey = z.output<typeof CreateKey>

export const KeyParams = z.strictObject({ keyId: Id })

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
  created_at: string
  /** Null: it lasts until it is revoked. A key that has run out is listed until then, too. */
  expires_at: string | null
  last_used_at: string | null
}

/** The answer of `POST /api/keys`: the only time that the key itself is shown. */
export type CreatedKey = KeyRecord & { key: string }
