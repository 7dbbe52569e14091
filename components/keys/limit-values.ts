import type { BudgetPeriod, UpdateKey } from '@/lib/contracts/keys'
import { type Policy, sayPolicy } from './policy-words'

/** A policy as it stands in the form: numbers as they were typed. */
export type Limits = {
  budget: string
  period: BudgetPeriod
  requests: string
  tokens: string
  models: string[]
  nextKey: boolean
  fallbacks: string[]
  /** Seconds, or `off`. */
  cache: string
}

export const noLimits: Limits = {
  budget: '',
  period: 'month',
  requests: '',
  tokens: '',
  models: [],
  nextKey: false,
  fallbacks: [],
  cache: 'off',
}

const toText = (count: number | null) => (count === null ? '' : String(count))

/** What stands in the form for a key as it is. */
export function readLimits(policy: Policy): Limits {
  return {
    budget: toText(policy.budget_usd),
    period: policy.budget_usd === null ? noLimits.period : policy.budget_period,
    requests: toText(policy.requests_per_minute),
    tokens: toText(policy.tokens_per_minute),
    models: policy.allowed_models,
    nextKey: policy.fallback_credentials,
    fallbacks: policy.fallback_models,
    cache: policy.cache_seconds === null ? 'off' : String(policy.cache_seconds),
  }
}

/** The field is one for numbers: what is not empty is one. */
const toNumber = (typed: string) => (typed.trim() === '' ? null : Number(typed))

/** The form's limits as the API takes them: all of them, so that what was emptied is taken back. */
export function toPolicy({ budget, period, requests, tokens, ...limits }: Limits) {
  return {
    budget_usd: toNumber(budget),
    ...(budget.trim() !== '' && { budget_period: period }),
    requests_per_minute: toNumber(requests),
    tokens_per_minute: toNumber(tokens),
    allowed_models: limits.models,
    fallback_credentials: limits.nextKey,
    fallback_models: limits.fallbacks,
    cache_seconds: limits.cache === 'off' ? null : Number(limits.cache),
  } satisfies UpdateKey
}

/** What the form's limits amount to, a few words each; empty where there are none. */
export function sayLimits(limits: Limits): string[] {
  return sayPolicy({ ...toPolicy(limits), budget_period: limits.period })
}
