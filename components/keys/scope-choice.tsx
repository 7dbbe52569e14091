'use client'

import { useId } from 'react'
import type { Scope } from '@/lib/contracts/keys'
import { scopes } from './scope-words'

type ScopeChoiceProps = {
  chosen: Scope[]
  onChange: (chosen: Scope[]) => void
  isAdmin: boolean
  error: string | undefined
}

/** What a key may do, each with what that means. */
export function ScopeChoice({ chosen, onChange, isAdmin, error }: ScopeChoiceProps) {
  const id = useId()
  const toggle = (scope: Scope, on: boolean) =>
    onChange(on ? [...chosen, scope] : chosen.filter((other) => other !== scope))
  return (
    <fieldset className="flex flex-col gap-1.5" aria-describedby={error ? `${id}-error` : undefined}>
      <legend className="pb-1.5 font-medium text-ui">What it may do</legend>
      <div className="rounded-control border">
        {scopes
          .filter(({ isForAdmins }) => isAdmin || !isForAdmins)
          .map(({ scope, label, detail }) => (
            <label
              key={scope}
              htmlFor={`${id}-${scope}`}
              className="flex min-h-11 cursor-pointer items-start gap-3 border-b px-3 py-2 last:border-b-0"
            >
              <input
                id={`${id}-${scope}`}
                type="checkbox"
                checked={chosen.includes(scope)}
                onChange={(event) => toggle(scope, event.target.checked)}
                aria-describedby={`${id}-${scope}-detail`}
                className="mt-0.5 size-4 shrink-0 accent-accent"
              />
              <span className="flex min-w-0 flex-col">
                <span className="text-ui">{label}</span>
                <span id={`${id}-${scope}-detail`} className="text-ink-soft text-label">
                  {detail}
                </span>
              </span>
            </label>
          ))}
      </div>
      {error ? (
        <p id={`${id}-error`} className="text-bad text-label">
          {error}
        </p>
      ) : null}
    </fieldset>
  )
}
