'use client'

import { useState } from 'react'
import { cn } from '@/components/ui/class-names'
import { Input } from '@/components/ui/field'
import type { CredentialView } from '@/lib/contracts/credentials'
import { providerNames, sayAddress, sayKeyState, sayOwner } from './credential-words'

const groups = [
  { value: 'all', label: 'All' },
  { value: 'user', label: 'Yours' },
  { value: 'project', label: 'Projects’' },
  { value: 'global', label: 'Everyone’s' },
  { value: 'trouble', label: 'In trouble' },
] as const

type Group = (typeof groups)[number]['value']
type Known = { projectNames: Record<string, string>; asOf: string }

/** With fewer, all are seen at a glance. */
const manyKeys = 8

function isOf(credential: CredentialView, group: Group, asOf: string): boolean {
  if (group === 'all') return true
  if (group !== 'trouble') return credential.scope === group
  return ['warn', 'bad'].includes(sayKeyState(credential, asOf).tone)
}

/** Yours first, then projects’ by name, then everyone’s; the newest first among each. */
function inOrder(credentials: CredentialView[], { projectNames }: Known): CredentialView[] {
  const place = ({ scope }: CredentialView) => ['user', 'project', 'global'].indexOf(scope)
  return credentials.toSorted(
    (one, other) =>
      place(one) - place(other) ||
      sayOwner(one, projectNames).localeCompare(sayOwner(other, projectNames), 'en'),
  )
}

/** Which of many keys are shown: those of a group that have every word of a query. */
export function useKeyFilter(credentials: CredentialView[], known: Known) {
  const [group, setGroup] = useState<Group>('all')
  const [query, setQuery] = useState('')
  const isNeeded = credentials.length > manyKeys
  const words = isNeeded ? query.toLowerCase().split(/\s+/).filter(Boolean) : []
  const has = (credential: CredentialView) => {
    const { label, credentialType, last4, baseUrl } = credential
    const owner = sayOwner(credential, known.projectNames)
    const text = [label, providerNames[credentialType], last4, sayAddress(baseUrl), owner]
      .join(' ')
      .toLowerCase()
    return words.every((word) => text.includes(word))
  }
  const kept = credentials.filter(has)
  const counts = groups.map(({ value, label }) => ({
    value,
    label,
    count: kept.filter((credential) => isOf(credential, value, known.asOf)).length,
    exists: credentials.some((credential) => isOf(credential, value, known.asOf)),
  }))
  const chosen = isNeeded && counts.some(({ value, exists }) => value === group && exists) ? group : 'all'
  return {
    isNeeded,
    query,
    setQuery,
    chosen,
    choose: setGroup,
    counts: counts.filter(({ exists }) => exists),
    shown: inOrder(
      kept.filter((credential) => isOf(credential, chosen, known.asOf)),
      known,
    ),
    clear: () => {
      setGroup('all')
      setQuery('')
    },
  }
}

/** Narrows a long table; not there for a short one. */
export function KeyFilter({ filter }: { filter: ReturnType<typeof useKeyFilter> }) {
  if (!filter.isNeeded) return null
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Input
        type="search"
        aria-label="Find a key"
        placeholder="Find a key…"
        className="max-w-56"
        maxLength={120}
        value={filter.query}
        onChange={(event) => filter.setQuery(event.target.value)}
      />
      <fieldset className="flex flex-wrap gap-1">
        <legend className="sr-only">Which keys</legend>
        {filter.counts.map(({ value, label, count }) => (
          <button
            key={value}
            type="button"
            aria-pressed={filter.chosen === value}
            onClick={() => filter.choose(value)}
            className={cn(
              'h-8 pointer-coarse:min-h-11 rounded-control px-2.5 text-ui transition-colors',
              filter.chosen === value
                ? 'bg-ink/8 font-medium'
                : 'text-ink-soft hover:bg-ink/5 hover:text-ink',
            )}
          >
            {label} <span className="text-ink-soft tabular-nums">{count}</span>
          </button>
        ))}
      </fieldset>
    </div>
  )
}
