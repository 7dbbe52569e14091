import { v7 as newId } from 'uuid'
import type { Actor } from '../auth'
import type { KeyPolicy } from '../contracts/keys'
import { requireRoom, sql } from '../db'
import { costOf, dearestPrice } from './cost'
import { toModelName, toWhole, type UsageRecord } from './entry'
import { giveBack, holdLease, leaseMs, nodeId } from './leases'
import type { Price } from './price-list'
import { findPrice } from './prices'
import { type Limits, overBudget, tooManyRequests, tooManyTokens, unknownPrice } from './refusals'

export type Wish = {
  provider: UsageRecord['provider']
  model: string
  surface: 'gateway' | 'api'
  /** At most, for the money. */
  inputTokens: number
  /** At most, as the caller says it; null: the caller does not say. */
  outputTokens: number | null
  /** What the model can put out at most; null: nobody knows. */
  mostOutputTokens: number | null
  /** For the tokens of a minute, as OpenAI counts: characters / 4, and the stated maximum. */
  likelyTokens: number
  /** A further try of the same call, such as with another model: not counted as a request again. */
  isAgain?: boolean
  /** A reply's id, so that recordUsage finds the reservation by it; else a new UUIDv7. */
  id?: string
}

export type Reservation = {
  id: string
  openedAt: Date
  /** Tokens that the model may be asked for at most; null: what the caller said, or the model can do, is paid for. */
  outputTokens: number | null
  limits: Limits
}

/**
 * A caller who states no maximum gets this part of what is left, and a smaller one the more calls the key has under way:
 * so that one call alone may say a lot, and a hundred at once all get in. Tried with gpt-5-mini and a budget of a dollar.
 */
const share = 16
/** No less than this, or a model that thinks first has nothing to say. */
const leastTokens = 1024
/** Where nobody knows what a model can put out: most models can, and servers refuse to be asked for more than they can. */
const usualTokens = 8192

type Verdict = {
  verdict: 'granted' | 'budget' | 'requests' | 'tokens'
  output_tokens: number | null
  opened_at: Date
  requests: number
  tokens: string
  reset_ms: number
}

/**
 * Sets aside what a call may cost and take at most, before it is made, in one statement that decides for all servers;
 * null where nothing limits the caller. What is refused is not counted.
 * Throws budget_exceeded, too_many_requests, forbidden for a model whose price nobody knows, storage_full.
 */
export async function reserveUse(actor: Actor, wish: Wish): Promise<Reservation | null> {
  const { keyId, policy } = actor
  if (keyId === null || policy === null || !isLimited(policy)) return null
  const price = await findPrice(wish.provider, wish.model)
  if (!price && policy.budgetUsd !== null) throw unknownPrice(wish.model)
  await requireRoom()
  const id = wish.id ?? newId()
  const decided = await decide({
    ...limitsOf(keyId, policy),
    ...boundsOf(price, wish),
    id,
    only_looks: false,
  })
  const limits = toLimits(policy, decided)
  requireGranted(decided, policy, limits, toWhole(wish.likelyTokens))
  holdLease(id)
  return { id, openedAt: decided.opened_at, outputTokens: decided.output_tokens, limits }
}

/** Refuses now what would be refused anyway: a key whose budget or minute is used up. Throws budget_exceeded, too_many_requests. */
export async function requireUseLeft({ keyId, policy }: Actor): Promise<void> {
  if (keyId === null || policy === null || !isLimited(policy)) return
  const nothing = { input_usd: '0', token_usd: '0', stated_tokens: 0, likely_tokens: 1, is_again: false }
  const decided = await decide({ ...limitsOf(keyId, policy), ...nothing, only_looks: true })
  requireGranted(decided, policy, toLimits(policy, decided), 1)
}

/**
 * Nothing was used of what was set aside: the call was refused before it went out, answered from the cache, or failed.
 * Money and tokens come back, the request does not. Never throws.
 */
export async function releaseUse({ id }: Pick<Reservation, 'id'>): Promise<void> {
  await giveBack(id)
}

function isLimited({ budgetUsd, requestsPerMinute, tokensPerMinute }: KeyPolicy): boolean {
  return budgetUsd !== null || requestsPerMinute !== null || tokensPerMinute !== null
}

function limitsOf(keyId: string, policy: KeyPolicy) {
  return {
    key_id: keyId,
    period_kind: policy.budgetPeriod,
    budget_usd: policy.budgetUsd,
    requests_per_minute: policy.requestsPerMinute,
    tokens_per_minute: policy.tokensPerMinute,
  }
}

/** What the call may cost at most, as exact decimals, and what the ledger is told if nobody lives to tell it. */
function boundsOf(price: Price | null, wish: Wish) {
  const inputTokens = toWhole(wish.inputTokens)
  const likelyTokens = toWhole(wish.likelyTokens)
  const stated = wish.outputTokens === null ? null : toWhole(wish.outputTokens)
  const dearest = price && dearestPrice(price, inputTokens)
  const cost = (tokens: { inputTokens: number; outputTokens: number }) =>
    dearest ? costOf(dearest, { ...tokens, cachedTokens: 0 }) : '0'
  return {
    input_usd: cost({ inputTokens, outputTokens: 0 }),
    token_usd: cost({ inputTokens: 0, outputTokens: 1 }),
    stated_tokens: stated,
    most_tokens: wish.mostOutputTokens === null ? null : toWhole(wish.mostOutputTokens),
    usual_tokens: usualTokens,
    least_tokens: leastTokens,
    share,
    likely_tokens: likelyTokens,
    likely_input: Math.min(inputTokens, Math.max(0, likelyTokens - (stated ?? 0))),
    provider: wish.provider,
    model: toModelName(wish.model),
    surface: wish.surface,
    node_id: nodeId(),
    lease_ms: leaseMs,
    is_again: wish.isAgain ?? false,
  }
}

async function decide(wish: Record<string, unknown>): Promise<Verdict> {
  const [verdict] = await sql<Verdict>`SELECT * FROM reserve_use(${JSON.stringify(wish)}::jsonb)`
  // The function returns one row.
  return verdict as Verdict
}

function toLimits({ requestsPerMinute, tokensPerMinute }: KeyPolicy, decided: Verdict): Limits {
  const allowance = (limit: number | null, used: number) =>
    limit === null
      ? null
      : { limit, remaining: Math.max(0, limit - used), resetMs: used === 0 ? 0 : decided.reset_ms }
  return {
    requests: allowance(requestsPerMinute, decided.requests),
    tokens: allowance(tokensPerMinute, Number(decided.tokens)),
  }
}

function requireGranted({ verdict }: Verdict, policy: KeyPolicy, limits: Limits, likelyTokens: number): void {
  if (verdict === 'budget') throw overBudget(policy)
  if (verdict === 'requests') throw tooManyRequests(limits)
  if (verdict === 'tokens') throw tooManyTokens(limits, likelyTokens)
}
