import { v7 as newId } from 'uuid'
import type { Actor } from '../../lib/auth'
import type { KeyPolicy } from '../../lib/contracts/keys'
import { db } from '../../lib/db'
import type { Reservation, UsageRecord, Wish } from '../../lib/usage'
import { makeActor } from './library'

const noLimits: KeyPolicy = {
  budgetUsd: null,
  budgetPeriod: 'total',
  allowedModels: [],
  requestsPerMinute: null,
  tokensPerMinute: null,
  fallbackCredentials: false,
  fallbackModels: [],
  cacheSeconds: null,
}

export type KeyActor = Actor & { keyId: string; policy: KeyPolicy }

/** Somebody who comes with an API key of this policy. */
export async function makeKeyActor(policy: Partial<KeyPolicy>): Promise<KeyActor> {
  const owner = await makeActor('ada')
  const keyId = newId()
  const hash = Buffer.from(keyId)
  const { fallbackModels, allowedModels, ...rest } = { ...noLimits, ...policy }
  const lists = { fallbackModels: [...fallbackModels], allowedModels: [...allowedModels] }
  const row = { id: keyId, userId: owner.userId, name: 'Key', hash, last4: 'test', scopes: ['gateway'] }
  await db().apiKey.create({ data: { ...row, ...rest, ...lists } })
  return { ...owner, sessionId: '', keyId, scopes: ['gateway'], policy: { ...rest, ...lists } }
}

/** gpt-5-mini: 0.25 dollars per million tokens in, 2 out. */
export function wishFor(wish: Partial<Wish> = {}): Wish {
  return {
    provider: 'openai',
    model: 'gpt-5-mini',
    surface: 'gateway',
    inputTokens: 1000,
    outputTokens: 1000,
    mostOutputTokens: 128_000,
    likelyTokens: 1250,
    ...wish,
  }
}

/** What a call of the actor's used. */
export function usageOf(
  actor: KeyActor,
  reservation: Pick<Reservation, 'id' | 'openedAt'> | null,
  use: Partial<UsageRecord> = {},
): UsageRecord {
  return {
    userId: actor.userId,
    keyId: actor.keyId,
    surface: 'gateway',
    provider: 'openai',
    model: 'gpt-5-mini',
    keySource: 'user',
    credentialId: null,
    credentialLabel: null,
    inputTokens: 400,
    outputTokens: 200,
    durationMs: 1000,
    outcome: 'completed',
    reservation,
    ...use,
  }
}

type Meter = { spent: string; reserved: string; requests: number; tokens: number }

/** What the meter of a key says. */
export async function readMeter({ keyId }: KeyActor): Promise<Meter> {
  const row = await db().keyMeter.findUniqueOrThrow({ where: { keyId } })
  const { requests, tokens } = row
  return {
    spent: row.spentUsd.toFixed(),
    reserved: row.reservedUsd.toFixed(),
    requests,
    tokens: Number(tokens),
  }
}

/**
 * Every meter that does not say what the ledger and the reservations of its period do; reckoned by days in text, so that
 * it has nothing in common with what it checks.
 */
export async function findMeterFaults(): Promise<unknown[]> {
  return db().$queryRaw`
    SELECT * FROM (
      SELECT m.key_id, m.spent_usd, m.reserved_usd, m.period_kind, m.period::text,
        (SELECT coalesce(sum(cost_usd), 0) FROM usage_entries e WHERE e.key_id = m.key_id
          AND to_char(e.at AT TIME ZONE 'UTC', p.form) = p.name) AS ledger,
        (SELECT coalesce(sum(usd), 0) FROM key_reservations r WHERE r.key_id = m.key_id
          AND to_char(r.opened_at AT TIME ZONE 'UTC', p.form) = p.name) AS set_aside
      FROM key_meters m, LATERAL (
        SELECT form, to_char(m.period, form) AS name
        FROM (SELECT CASE m.period_kind WHEN 'day' THEN 'YYYY-MM-DD' WHEN 'month' THEN 'YYYY-MM' ELSE '"total"' END) f(form)
      ) p
    ) all_meters WHERE spent_usd <> ledger OR reserved_usd <> set_aside`
}

/**
 * Moves all that is known of a key into the past, as a day or a month that goes by would: what happened in one period
 * still did.
 */
export async function ageKey({ keyId }: Pick<KeyActor, 'keyId'>, by: 'day' | 'month'): Promise<void> {
  const step = `1 ${by}`
  await db().$transaction([
    db().$executeRaw`
      UPDATE key_meters SET minute = minute - ${step}::interval,
        period = CASE period_kind WHEN 'total' THEN period ELSE (period - ${step}::interval)::date END
      WHERE key_id = ${keyId}::uuid`,
    db().$executeRaw`UPDATE usage_entries SET at = at - ${step}::interval WHERE key_id = ${keyId}::uuid`,
    db().$executeRaw`
      UPDATE key_reservations SET opened_at = opened_at - ${step}::interval WHERE key_id = ${keyId}::uuid`,
  ])
}
