import { inDollars, inFull } from '@/components/usage/usage-words'
import type { BudgetPeriod, KeyRecord } from '@/lib/contracts/keys'

/** What of a key says what it may do in the gateway. */
export type Policy = Pick<
  KeyRecord,
  | 'budget_usd'
  | 'budget_period'
  | 'allowed_models'
  | 'requests_per_minute'
  | 'tokens_per_minute'
  | 'fallback_credentials'
  | 'fallback_models'
  | 'cache_seconds'
>

export const periodWords: Record<BudgetPeriod, string> = {
  day: 'a day',
  month: 'a month',
  total: 'in total',
}

/** So many models are named; of the others it is said how many they are. */
const namedModels = 3

/** Models by name, the first few of many. */
export function sayModels(models: readonly string[]): string {
  const named = models.slice(0, namedModels).join(', ')
  const rest = models.length - namedModels
  return rest > 0 ? `${named} and ${inFull(rest)} more` : named
}

const units = [
  { seconds: 86_400, one: 'day' },
  { seconds: 3600, one: 'hour' },
  { seconds: 60, one: 'minute' },
  { seconds: 1, one: 'second' },
] as const

/** A time such as `5 minutes`, in the largest unit that makes it a whole number. */
export function sayTime(seconds: number): string {
  const unit = units.find((each) => seconds % each.seconds === 0) ?? units[3]
  const count = seconds / unit.seconds
  return `${inFull(count)} ${unit.one}${count === 1 ? '' : 's'}`
}

/** What is asked where a call fails, such as `the next key, then gpt-5-mini`; null: nothing else. */
export function sayFallbacks({ fallback_credentials, fallback_models }: Policy): string | null {
  const steps = [...(fallback_credentials ? ['the next key'] : []), ...fallback_models]
  return steps.length === 0 ? null : steps.join(', then ')
}

function sayRate(count: number, one: string): string {
  return `${inFull(count)} ${one}${count === 1 ? '' : 's'} a minute`
}

/** Everything that a policy says beyond what holds for every key, a few words each; empty where it says nothing. */
export function sayPolicy(policy: Policy): string[] {
  const { budget_usd, budget_period, allowed_models, cache_seconds } = policy
  const { requests_per_minute, tokens_per_minute } = policy
  const fallbacks = sayFallbacks(policy)
  return [
    budget_usd === null ? null : `${inDollars(budget_usd)} ${periodWords[budget_period]}`,
    requests_per_minute === null ? null : sayRate(requests_per_minute, 'request'),
    tokens_per_minute === null ? null : sayRate(tokens_per_minute, 'token'),
    allowed_models.length === 0 ? null : `only ${sayModels(allowed_models)}`,
    fallbacks === null ? null : `falls back to ${fallbacks}`,
    cache_seconds === null ? null : `answers kept for ${sayTime(cache_seconds)}`,
  ].filter((words) => words !== null)
}
