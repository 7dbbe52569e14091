import type { AuditDetail } from '../contracts/audit'
import type { BudgetPeriod, KeyRecord, Scope, UpdateKey } from '../contracts/keys'
import type { Prisma } from '../db'

/** What a key is read with, for its record. */
export const withMeter = { meter: true } as const

export type KeyRow = Prisma.ApiKeyGetPayload<{ include: typeof withMeter }>

/** The key as it may be seen; `now` decides which period of its budget is the current one. */
export function toKeyRecord(row: KeyRow, now = new Date()): KeyRecord {
  return {
    id: row.id,
    name: row.name,
    last4: row.last4,
    scopes: row.scopes as Scope[],
    project_id: row.projectId,
    budget_usd: row.budgetUsd?.toNumber() ?? null,
    budget_period: row.budgetPeriod as BudgetPeriod,
    spent_usd: spentOf(row, now),
    allowed_models: row.allowedModels,
    requests_per_minute: row.requestsPerMinute,
    tokens_per_minute: row.tokensPerMinute,
    fallback_credentials: row.fallbackCredentials,
    fallback_models: row.fallbackModels,
    cache_seconds: row.cacheSeconds,
    created_at: row.createdAt.toISOString(),
    expires_at: row.expiresAt?.toISOString() ?? null,
    last_used_at: row.lastUsedAt?.toISOString() ?? null,
  }
}

/** What counts for the budget today: what was spent in a period that is over does not. */
function spentOf({ budgetUsd, budgetPeriod, meter }: KeyRow, now: Date): number | null {
  if (budgetUsd === null) return null
  // On the first of a month its day and the month begin alike.
  if (meter?.periodKind !== budgetPeriod) return 0
  return meter.period.getTime() === startOfPeriod(budgetPeriod, now) ? meter.spentUsd.toNumber() : 0
}

/** When the period of a budget began, in milliseconds: the day or month of UTC; a budget without end counts since 1970. */
function startOfPeriod(period: string, now: Date): number {
  if (period === 'total') return 0
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), period === 'day' ? now.getUTCDate() : 1)
}

/** A policy as the columns of its key; what is not given is undefined, and so left as it is. */
export function toColumns(input: UpdateKey) {
  return {
    name: input.name,
    budgetUsd: input.budget_usd,
    budgetPeriod: input.budget_period,
    allowedModels: input.allowed_models,
    requestsPerMinute: input.requests_per_minute,
    tokensPerMinute: input.tokens_per_minute,
    fallbackCredentials: input.fallback_credentials,
    fallbackModels: input.fallback_models,
    cacheSeconds: input.cache_seconds,
  }
}

/** The names of the fields in which two states of a key differ, as `UpdateKey` calls them. */
export function changesOf(before: KeyRow, row: KeyRow): string[] {
  const [was, is] = [toKeyRecord(before), toKeyRecord(row)]
  const fields = [
    'name',
    'budget_usd',
    'budget_period',
    'allowed_models',
    'requests_per_minute',
    'tokens_per_minute',
    'fallback_credentials',
    'fallback_models',
    'cache_seconds',
  ] as const satisfies (keyof UpdateKey)[]
  return fields.filter((field) => JSON.stringify(was[field]) !== JSON.stringify(is[field]))
}

/** What the audit says of a key. */
export function toDetail(row: KeyRow): AuditDetail<'key.create'> {
  return {
    name: row.name,
    last4: row.last4,
    scopes: row.scopes,
    projectId: row.projectId,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    budgetUsd: row.budgetUsd?.toString() ?? null,
    budgetPeriod: row.budgetPeriod,
    allowedModels: row.allowedModels,
    requestsPerMinute: row.requestsPerMinute,
    modelTokensPerMinute: row.tokensPerMinute,
    fallbackCredentials: row.fallbackCredentials,
    fallbackModels: row.fallbackModels,
    cacheSeconds: row.cacheSeconds,
  }
}
