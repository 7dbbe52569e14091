'use client'

import { useRouter } from 'next/navigation'
import { useTransition } from 'react'
import { Input } from '@/components/ui/field'
import { Select } from '@/components/ui/select'
import type { UsageGroup } from '@/lib/contracts/usage'
import { groups, hrefOf, measures, type Period, periods, type UsageView } from './usage-view'
import { groupWords, measureWords, periodWords } from './usage-words'

type Filters = { view: UsageView; isAdmin: boolean }
type Show = (change: Partial<UsageView>) => void

/** Chooses the time, what is put together and what is measured; each choice takes effect at once and is in the address. */
export function UsageFilters({ view, isAdmin }: Filters) {
  const router = useRouter()
  const [isLoading, startLoading] = useTransition()
  const show: Show = (change) =>
    startLoading(() => router.replace(hrefOf({ ...view, ...change }), { scroll: false }))
  const offered = groups.filter((group) => isAdmin || group !== 'user')
  return (
    <search aria-label="What is shown" aria-busy={isLoading} className="flex flex-wrap items-center gap-2">
      <Choice
        label="Period"
        value={view.period}
        words={periodWords}
        all={periods}
        choose={(period) => show(toPeriod(period))}
      />
      <Choice label="By" value={view.by} words={byWords} all={offered} choose={(by) => show({ by })} />
      <Choice
        label="Measure"
        value={view.measure}
        words={measureWords}
        all={measures}
        choose={(measure) => show({ measure })}
      />
      {view.period === 'between' ? <Days view={view} show={show} /> : null}
    </search>
  )
}

const byWords = Object.fromEntries(
  groups.map((group) => [group, group === 'day' ? 'All together' : `By ${lowered(groupWords[group])}`]),
) as Record<UsageGroup, string>

function lowered(words: string): string {
  return words.startsWith('API') ? words : words.toLowerCase()
}

/** Two days are asked for from a week on. */
function toPeriod(period: Period): Partial<UsageView> {
  if (period !== 'between') return { period }
  const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10)
  return { period, from: dayOf(Date.now() - 6 * 86_400_000), to: dayOf(Date.now()) }
}

type ChoiceProps<T extends string> = {
  label: string
  value: T
  words: Record<T, string>
  all: readonly T[]
  choose: (value: T) => void
}

function Choice<T extends string>({ label, value, words, all, choose }: ChoiceProps<T>) {
  return (
    <div className="min-w-32 flex-1 max-sm:min-w-full sm:max-w-48">
      <Select
        aria-label={label}
        value={value}
        options={all.map((each) => ({ value: each, label: words[each] }))}
        onChange={choose}
      />
    </div>
  )
}

function Days({ view, show }: { view: UsageView; show: Show }) {
  return (
    <div className="flex items-center gap-2 max-sm:w-full">
      <Input
        aria-label="From (UTC)"
        type="date"
        className="min-w-0"
        min="2000-01-01"
        max={view.to || '2199-12-31'}
        value={view.from}
        onChange={(event) => show({ from: event.currentTarget.value })}
      />
      <span className="text-ink-soft">to</span>
      <Input
        aria-label="To, this day included (UTC)"
        type="date"
        className="min-w-0"
        min={view.from || '2000-01-01'}
        max="2199-12-31"
        value={view.to}
        onChange={(event) => show({ to: event.currentTarget.value })}
      />
    </div>
  )
}
