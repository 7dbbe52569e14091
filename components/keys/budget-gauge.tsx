import { cn } from '@/components/ui/class-names'
import { inDollars } from '@/components/usage/usage-words'
import type { KeyRecord } from '@/lib/contracts/keys'

/** From this share on it is worth a look. */
const nearlyAll = 0.8

/** What a key has spent of its budget, as a line and in figures. Nothing without a budget. */
export function BudgetGauge({
  record: { budget_usd, budget_period, spent_usd },
}: {
  record: Pick<KeyRecord, 'budget_usd' | 'budget_period' | 'spent_usd'>
}) {
  if (budget_usd === null) return null
  const spent = spent_usd ?? 0
  const share = Math.min(1, spent / budget_usd)
  const isUsedUp = spent >= budget_usd
  return (
    <div className="flex max-w-48 flex-col gap-1.5">
      <span className="whitespace-nowrap tabular-nums">
        {inDollars(spent)} <span className="text-ink-soft">of {inDollars(budget_usd)}</span>
      </span>
      {/* The same as the words around it say. */}
      <div aria-hidden className="h-1 overflow-hidden rounded-full bg-ink/12">
        <div
          className={cn(
            'h-full rounded-full',
            isUsedUp ? 'bg-bad' : share >= nearlyAll ? 'bg-warn' : 'bg-ink-soft',
          )}
          style={{ width: spent === 0 ? 0 : `max(3px, ${share * 100}%)` }}
        />
      </div>
      <span className={cn('text-label', isUsedUp ? 'font-medium text-bad' : 'text-ink-soft')}>
        {isUsedUp ? usedUpWords[budget_period] : periodLabels[budget_period]}
      </span>
    </div>
  )
}

/* Days and months are those of UTC. */
const periodLabels = { day: 'Today', month: 'This month', total: 'In total' }
const usedUpWords = {
  day: 'Used up until midnight UTC',
  month: 'Used up until next month',
  total: 'Used up',
}
