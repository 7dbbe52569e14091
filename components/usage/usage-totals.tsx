import type { UsageSum } from '@/lib/contracts/usage'
import { inDollars, inFull } from './usage-words'

/** All of the period in four numbers. */
export function UsageTotals({ totals }: { totals: UsageSum }) {
  const { requests, errors, unpriced_requests: unpriced } = totals
  const ofCost = unpriced === 0 ? null : `without ${inFull(unpriced)} ${plural(unpriced)} of unknown price`
  return (
    <dl className="grid grid-cols-2 gap-x-4 gap-y-6 border-t pt-4 sm:grid-cols-4">
      <Total
        name="Cost"
        value={requests > 0 && unpriced === requests ? 'Unknown' : inDollars(totals.cost_usd)}
        note={ofCost}
      />
      <Total
        name="Requests"
        value={inFull(requests)}
        note={errors === 0 ? null : `${inFull(errors)} failed`}
      />
      <Total
        name="Tokens in"
        value={inFull(totals.input_tokens)}
        note={partly(totals.cached_tokens, 'cached')}
      />
      <Total
        name="Tokens out"
        value={inFull(totals.output_tokens)}
        note={partly(totals.reasoning_tokens, 'for reasoning')}
      />
    </dl>
  )
}

const plural = (count: number) => (count === 1 ? 'request' : 'requests')
const partly = (count: number, what: string) => (count === 0 ? null : `${inFull(count)} ${what}`)

function Total({ name, value, note }: { name: string; value: string; note: string | null }) {
  return (
    <div className="flex min-w-0 flex-col">
      <dt className="text-ink-soft text-label">{name}</dt>
      <dd className="wrap-anywhere font-medium text-title tabular-nums">{value}</dd>
      {note === null ? null : <dd className="text-ink-soft text-label tabular-nums">{note}</dd>}
    </div>
  )
}
