import { v7 as newId } from 'uuid'
import { recordAudit } from '../audit'
import type { Actor, Origin } from '../auth'
import type { PriceOfModel, PriceRecord, SetPrice } from '../contracts/usage'
import { db, sql } from '../db'
import { AppError } from '../errors'
import { remember } from '../remember'
import { type ListedPrice, listedPrices, type Price, type Rates } from './price-list'

type OverrideRow = {
  model: string
  input: string
  cachedInput: string | null
  output: string
  validFrom: Date
}
type Overrides = Map<string, OverrideRow>

/** So many models can have a price of the admin's. */
const maxOverrides = 1000
/** A price that another server was told is known here after this long. */
const freshMs = 5000

type Known = { at: number; overrides: Promise<Overrides> }
const memory = () => remember<{ known: Known | null }>('usage.prices', () => ({ known: null }))

/** What admins have said, as of a few seconds ago; asked for once by all who ask at once. */
async function readOverrides(): Promise<Overrides> {
  const now = performance.now()
  let { known } = memory()
  if (!known || now - known.at > freshMs) {
    known = { at: now, overrides: loadOverrides() }
    memory().known = known
  }
  try {
    return await known.overrides
  } catch (error) {
    if (memory().known === known) memory().known = null
    throw error
  }
}

async function loadOverrides(): Promise<Overrides> {
  const rows = await sql<OverrideRow & { input: string | null }>`
    SELECT * FROM (
      SELECT DISTINCT ON (model) model, input_usd::text AS input, cached_input_usd::text AS "cachedInput",
        output_usd::text AS output, valid_from AS "validFrom"
      FROM model_prices WHERE valid_from <= now() ORDER BY model, valid_from DESC, id DESC
    ) newest WHERE input IS NOT NULL LIMIT ${maxOverrides}::int`
  return new Map(rows.map((row) => [row.model, row]))
}

/**
 * A model of a day, such as `gpt-5-mini-2025-08-07` or `claude-opus-4-5-20251101`, costs what the model does unless its
 * own price is known.
 */
const snapshot = /^(.+)-20\d\d(-?)(?:0[1-9]|1[0-2])\2(?:0[1-9]|[12]\d|3[01])$/

function namesOf(model: string): string[] {
  const base = snapshot.exec(model)?.[1]
  return base === undefined ? [model] : [model, base]
}

const free: Price = { input: '0', cachedInput: null, output: '0' }

/**
 * What a model costs now, or null if nobody knows. The longest name wins, and with one name what an admin said. What a
 * provider's list says is not said of other servers that call a model the same.
 */
export async function findPrice(provider: string, model: string): Promise<Price | null> {
  if (provider === 'demo') return free
  const overrides = await readOverrides()
  for (const name of namesOf(model)) {
    const price = overrides.get(name) ?? findListed(name, provider)
    if (price) return price
  }
  return null
}

/** The newest price of this very name that has begun; of any provider where none is said: no two call a model the same. */
function findListed(model: string, provider?: string): ListedPrice | null {
  const today = new Date().toISOString().slice(0, 10)
  const begun = listedPrices.filter(
    (price) =>
      price.model === model &&
      price.validFrom <= today &&
      (provider === undefined || price.provider === provider),
  )
  return begun.reduce<ListedPrice | null>(
    (newest, price) => (newest && newest.validFrom > price.validFrom ? newest : price),
    null,
  )
}

/** All prices that count now, by model: the public list's, and over them what admins have said. Throws forbidden. */
export async function listPrices(actor: Actor): Promise<{ unit: 'million tokens'; items: PriceRecord[] }> {
  requireAdmin(actor)
  const overrides = await loadOverrides()
  const models = new Set([...listedPrices.map(({ model }) => model), ...overrides.keys()])
  const items = [...models].sort().flatMap((model) => toRecord(model, overrides.get(model)))
  return { unit: 'million tokens', items }
}

function toRecord(model: string, override: OverrideRow | undefined): PriceRecord[] {
  const listed = findListed(model)
  const price = override ?? listed
  if (!price) return []
  const validFrom = override ? override.validFrom.toISOString() : (listed?.validFrom ?? '')
  return [
    {
      model,
      ...toNumbers(price),
      valid_from: validFrom,
      is_override: override !== undefined,
      source: override ? null : (listed?.source ?? null),
      listed: override && listed ? toNumbers(listed) : null,
      ...toExtras(price),
    },
  ]
}

/** What an admin's price never says. */
function toExtras({ cacheWrite, beyond }: Price): Pick<PriceRecord, 'cache_write_usd' | 'beyond'> {
  return {
    cache_write_usd: toCacheWrite(cacheWrite),
    beyond: beyond
      ? {
          ...toNumbers(beyond),
          input_tokens: beyond.inputTokens,
          cache_write_usd: toCacheWrite(beyond.cacheWrite),
        }
      : null,
  }
}

const toCacheWrite = (price: string | undefined) => (price === undefined ? null : Number(price))

function toNumbers({ input, cachedInput, output }: Rates): PriceOfModel {
  return {
    input_usd: Number(input),
    cached_input_usd: cachedInput === null ? null : Number(cachedInput),
    output_usd: Number(output),
  }
}

/**
 * Says what a model costs from now on, or, with null, that the public list counts again. What was written down before
 * keeps its cost. Throws forbidden, conflict where there are too many.
 */
export async function setPrice(actor: Actor, { model, price }: SetPrice, origin: Origin): Promise<void> {
  requireAdmin(actor)
  const before = await loadOverrides()
  if (price && !before.has(model) && before.size >= maxOverrides)
    throw new AppError('conflict', `There are ${maxOverrides} prices already. Take one back first.`)
  const { ip, requestId } = origin
  await db().$transaction(async (tx) => {
    const numbers = {
      inputUsd: price?.input_usd ?? null,
      cachedInputUsd: price?.cached_input_usd ?? null,
      outputUsd: price?.output_usd ?? null,
    }
    await tx.modelPrice.create({ data: { id: newId(), model, ...numbers, createdBy: actor.userId } })
    const detail = { name: model, price: price ? toDetail(price) : null, before: detailOf(before.get(model)) }
    const who = { actorId: actor.userId, keyId: actor.keyId, ip, requestId }
    await recordAudit({ ...who, action: 'price.update', target: model, detail }, tx)
  })
  memory().known = null
}

function detailOf(row: OverrideRow | undefined) {
  return row ? toDetail(toNumbers(row)) : null
}

function toDetail({ input_usd, cached_input_usd, output_usd }: PriceOfModel) {
  return { inputUsd: input_usd, cachedInputUsd: cached_input_usd, outputUsd: output_usd }
}

function requireAdmin({ role }: Actor): void {
  if (role !== 'admin') throw new AppError('forbidden', 'Prices are for admins.')
}
