'use client'

import { useRouter } from 'next/navigation'
import { useTransition } from 'react'
import { Button } from '@/components/ui/button'
import { Input } from '@/components/ui/field'
import { Select } from '@/components/ui/select'
import { hrefOf, type SessionFilter } from './session-words'

type FiltersProps = {
  filter: SessionFilter
  /** Whom an admin can choose from; null for everybody else. */
  people: { id: string; email: string; name: string | null }[] | null
}

/** Narrows the sessions by person and day; each choice takes effect at once and is in the address. */
export function SessionFilters({ filter, people }: FiltersProps) {
  const router = useRouter()
  const [isLoading, startLoading] = useTransition()
  const show = (change: Partial<SessionFilter>) =>
    startLoading(() => router.replace(hrefOf({ ...filter, ...change }), { scroll: false }))
  return (
    <search aria-label="Filters" aria-busy={isLoading} className="flex flex-wrap items-center gap-2">
      {people ? (
        <div className="min-w-32 flex-1 max-sm:min-w-full sm:max-w-72">
          <Select
            aria-label="Person"
            value={filter.user}
            onChange={(user) => show({ user })}
            options={[
              { value: '', label: 'Everyone' },
              ...people.map(({ id, email, name }) => ({
                value: id,
                label: name ?? email,
                ...(name && { detail: email }),
              })),
            ]}
          />
        </div>
      ) : null}
      <div className="max-sm:min-w-full">
        <Input
          key={filter.day}
          aria-label="Day"
          type="date"
          min="2000-01-01"
          max="9999-12-31"
          defaultValue={filter.day}
          onChange={({ currentTarget: { value } }) => {
            // While a year is typed, it passes through the first century.
            if (value === '' || value >= '2000') show({ day: value })
          }}
        />
      </div>
      {filter.user || filter.day ? (
        <Button look="ghost" onClick={() => show({ user: '', day: '' })}>
          Clear
        </Button>
      ) : null}
    </search>
  )
}
