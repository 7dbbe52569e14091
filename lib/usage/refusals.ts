import type { KeyPolicy } from '../contracts/keys'
import { AppError } from '../errors'

/** What a key may do within a minute: how much, how much of that is left, and in how long all of it is there again. */
type Allowance = { limit: number; remaining: number; resetMs: number }

export type Limits = { requests: Allowance | null; tokens: Allowance | null }

/** The limits as OpenAI's API writes them into the head of an answer: `x-ratelimit-limit-requests` and the like. */
export function writeLimits(limits: Limits): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const kind of ['requests', 'tokens'] as const) {
    const allowance = limits[kind]
    if (!allowance) continue
    headers[`x-ratelimit-limit-${kind}`] = String(allowance.limit)
    headers[`x-ratelimit-remaining-${kind}`] = String(allowance.remaining)
    headers[`x-ratelimit-reset-${kind}`] = writeDuration(allowance.resetMs)
  }
  return headers
}

/** As Go writes durations, and with it OpenAI's API: `12ms`, `1.5s`, `6m0s`. */
function writeDuration(ms: number): string {
  const whole = Math.max(0, Math.ceil(ms))
  if (whole === 0) return '0s'
  if (whole < 1000) return `${whole}ms`
  const minutes = Math.floor(whole / 60_000)
  const seconds = `${(whole % 60_000) / 1000}s`
  return minutes === 0 ? seconds : `${minutes}m${seconds}`
}

const spans = { day: ' a day', month: ' a month', total: '' } as const

/** What is left of the key's budget does not pay for the call. Trying again does not help. */
export function overBudget({
  budgetUsd,
  budgetPeriod,
}: Pick<KeyPolicy, 'budgetUsd' | 'budgetPeriod'>): AppError {
  const budget = `$${Number(budgetUsd)}${spans[budgetPeriod]}`
  const message = `The budget of this API key, ${budget}, is used up, or what is left does not pay for this call.`
  return new AppError('budget_exceeded', message, { facts: { code: 'insufficient_quota' } })
}

export function tooManyRequests(limits: Limits): AppError {
  const { limit = 0, resetMs = 0 } = limits.requests ?? {}
  const message = `This API key may make ${limit} requests a minute, and has made them. ${whenAgain(resetMs)}`
  return tooFast('requests', message, limits)
}

/** `needed`: what the call is likely to take. */
export function tooManyTokens(limits: Limits, needed: number): AppError {
  const { limit = 0, remaining = 0, resetMs = 0 } = limits.tokens ?? {}
  if (needed > limit) {
    const message = `This call takes about ${needed} tokens, and this API key may use ${limit} a minute. Make it smaller.`
    return tooFast('tokens', message, limits, { 'x-should-retry': 'false' })
  }
  const message = `This API key may use ${limit} tokens a minute: ${remaining} are left, and this call takes about ${needed}.`
  return tooFast('tokens', `${message} ${whenAgain(resetMs)}`, limits)
}

function whenAgain(resetMs: number): string {
  return `Try again in ${Math.max(1, Math.ceil(resetMs / 1000))} s.`
}

function tooFast(
  type: 'requests' | 'tokens',
  message: string,
  limits: Limits,
  more: Record<string, string> = {},
): AppError {
  return new AppError('too_many_requests', message, {
    retryAfterSeconds: (limits[type]?.resetMs ?? 0) / 1000,
    facts: { code: 'rate_limit_exceeded', type },
    headers: { ...writeLimits(limits), ...more },
  })
}

/** What a call with this model costs cannot be bounded. */
export function unknownPrice(model: string): AppError {
  const message = `Nobody has said what ${model} costs, so that a key with a budget cannot use it. An admin can set the price.`
  return new AppError('forbidden', message, { facts: { code: 'model_price_unknown' } })
}
