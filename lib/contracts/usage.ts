import { z } from 'zod'
import { line } from './primitives'

/** What was used on one day, `YYYY-MM-DD` in UTC. */
export type DayOfUse = { day: string; requests: number; tokens: number }

/** A day, which begins at midnight UTC, or a moment. */
const Moment = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error: 'Enter a day such as 2026-11-21, or a time such as 2026-11-21T12:00:00Z.',
  })
  .refine((given) => /^2[01]/.test(given), 'Enter a time between the years 2000 and 2199.')

const UsageGroup = z.enum(['day', 'model', 'project', 'user', 'key'])
export type UsageGroup = z.infer<typeof UsageGroup>

/** Query of `GET /api/openai/usage`. Without `from`, the thirty days that end with `to`; without `to`, until now. */
export const UsageQuery = z.strictObject({
  from: Moment.optional(),
  /** A day counts whole; a moment is the first that is left out. */
  to: Moment.optional(),
  group_by: UsageGroup.default('day'),
})
export type UsageQuery = z.output<typeof UsageQuery>

/** What some calls used. */
export type UsageSum = {
  requests: number
  input_tokens: number
  /** Part of the input tokens. */
  cached_tokens: number
  output_tokens: number
  /** Part of the output tokens. */
  reasoning_tokens: number
  total_tokens: number
  /** US dollars, of the calls whose price was known. */
  cost_usd: number
  /** Calls that nobody knows the price of; `cost_usd` is without them. */
  unpriced_requests: number
  errors: number
}

/** `key` is a day in UTC, a model, or an id; null: no project, no API key. `label`: what it is called, where that is known. */
export type UsageGroupSum = { key: string | null; label: string | null } & UsageSum

/** The answer of `GET /api/openai/usage`; days and times are UTC. */
export type UsageSummary = {
  from: string
  to: string
  time_zone: 'UTC'
  group_by: UsageGroup
  totals: UsageSum
  groups: UsageGroupSum[]
}

/** What was used on a day by one of the groups. */
export type UsageDaySum = { day: string } & UsageGroupSum

const maxPrice = 100_000
const usd = z
  .number()
  .min(0, 'Not below zero.')
  .max(maxPrice, `At most ${maxPrice} US dollars.`)
  .refine((price) => Number(price.toFixed(6)) === price, 'At most six digits behind the point.')

/** US dollars per million tokens; without a price of cached input, it costs what all input does. */
const PriceOfModel = z.strictObject({
  input_usd: usd,
  cached_input_usd: usd.nullable().default(null),
  output_usd: usd,
})
export type PriceOfModel = z.output<typeof PriceOfModel>

/** Body of `PUT /api/admin/prices`: what a model costs from now on; null: what the public list says. */
export const SetPrice = z.strictObject({ model: line(200), price: PriceOfModel.nullable() })
export type SetPrice = z.output<typeof SetPrice>

/** What a model costs now. */
export type PriceRecord = { model: string } & PriceOfModel & {
    /** A day or time since when. */
    valid_from: string
    /** Whether an admin has said it. */
    is_override: boolean
    /** Where it is published; null for an admin's word. */
    source: string | null
    /** What the public list says, where an admin has said otherwise. */
    listed: PriceOfModel | null
    /** Of input that the provider keeps for later calls; null: as of any other. */
    cache_write_usd: number | null
    /** For all tokens of a call that has more input tokens than this; null: the same, however many it has. */
    beyond: (PriceOfModel & { input_tokens: number; cache_write_usd: number | null }) | null
  }
