'use client'

import { X } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { type KeyboardEvent, useTransition } from 'react'
import { Button } from '@/components/ui/button'
import { Input } from '@/components/ui/field'
import { Select } from '@/components/ui/select'
import { type AuditView, hrefOf, isFiltered, type Period } from './audit-view'
import { actionWords } from './audit-words'

const actions = [
  { value: '', label: 'Every action' },
  ...Object.entries(actionWords).map(([value, label]) => ({ value, label })),
]
const periods: { value: Period; label: string }[] = [
  { value: 'any', label: 'Any time' },
  { value: 'day', label: 'Last 24 hours' },
  { value: 'week', label: 'Last 7 days' },
  { value: 'month', label: 'Last 30 days' },
  { value: 'between', label: 'Between two days' },
]

type Filters = { view: AuditView; people: string[] }

/** Narrows the audit by what was done, by whom and when; each choice takes effect at once and is in the address. */
export function AuditFilters({ view, people }: Filters) {
  const router = useRouter()
  const [isLoading, startLoading] = useTransition()
  const show = (change: Partial<AuditView>) =>
    startLoading(() => router.replace(hrefOf({ ...view, ...change }), { scroll: false }))

  return (
    <search aria-label="Filters" aria-busy={isLoading} className="flex flex-wrap items-center gap-2">
      <div className="min-w-32 flex-1 max-sm:min-w-full sm:max-w-56">
        <Select
          aria-label="Action"
          value={view.action}
          options={actions}
          onChange={(action) => show({ action })}
        />
      </div>
      <div className="min-w-32 flex-1 max-sm:min-w-full sm:max-w-56">
        <PersonInput key={view.actor} actor={view.actor} people={people} show={show} />
      </div>
      <div className="min-w-32 flex-1 max-sm:min-w-full sm:max-w-44">
        <Select
          aria-label="Period"
          value={view.period}
          options={periods}
          onChange={(period) => show({ period })}
        />
      </div>
      {view.period === 'between' ? <Days view={view} show={show} /> : null}
      {view.target ? (
        <Button
          icon={<X size={16} aria-hidden className="shrink-0" />}
          className="min-w-0 max-w-56 shrink"
          onClick={() => show({ target: '' })}
        >
          <span className="truncate">About {view.target}</span>
          <span className="sr-only">: stop showing only this</span>
        </Button>
      ) : null}
      {isFiltered(view) ? (
        <Button
          look="ghost"
          onClick={() =>
            show({ action: '', actor: '', target: '', period: 'any' } satisfies Partial<AuditView>)
          }
        >
          Clear
        </Button>
      ) : null}
    </search>
  )
}

type Show = (change: Partial<AuditView>) => void

/** Takes effect with Enter, or when it is left. */
function PersonInput({ actor, people, show }: { actor: string; people: string[]; show: Show }) {
  const take = (input: HTMLInputElement) => {
    const typed = input.value.trim()
    if (typed !== actor) show({ actor: typed })
  }
  return (
    <>
      <Input
        aria-label="Person"
        type="search"
        inputMode="email"
        autoComplete="off"
        spellCheck={false}
        maxLength={254}
        placeholder="Anyone"
        list="audit-people"
        defaultValue={actor}
        onBlur={(event) => take(event.currentTarget)}
        onKeyDown={(event: KeyboardEvent<HTMLInputElement>) => {
          if (event.key === 'Enter') take(event.currentTarget)
        }}
      />
      <datalist id="audit-people">
        {people.map((email) => (
          <option key={email} value={email} />
        ))}
      </datalist>
    </>
  )
}

function Days({ view, show }: { view: AuditView; show: Show }) {
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
      <span aria-hidden className="text-ink-soft text-label max-sm:hidden">
        UTC
      </span>
    </div>
  )
}
