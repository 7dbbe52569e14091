'use client'

import { Switch as Base } from '@base-ui/react/switch'
import { useId } from 'react'

type SwitchProps = { label: string; hint?: string; checked: boolean; onChange: (checked: boolean) => void }

/** Something that is on or off, with its label. */
export function Switch({ label, hint, checked, onChange }: SwitchProps) {
  const id = useId()
  return (
    <div className="flex items-start justify-between gap-4">
      <div className="flex flex-col gap-0.5">
        <label htmlFor={id} className="font-medium text-ui">
          {label}
        </label>
        {hint ? (
          <p id={`${id}-hint`} className="text-ink-soft text-label">
            {hint}
          </p>
        ) : null}
      </div>
      <Base.Root
        id={id}
        checked={checked}
        onCheckedChange={onChange}
        aria-describedby={hint ? `${id}-hint` : undefined}
        className="relative mt-0.5 h-5 w-9 shrink-0 rounded-full border border-edge bg-surface transition-colors before:absolute before:-inset-3 before:hidden data-checked:border-accent data-checked:bg-accent pointer-coarse:before:block"
      >
        <Base.Thumb className="block size-3.5 translate-x-0.5 rounded-full bg-ink-soft transition-transform data-checked:translate-x-[18px] data-checked:bg-accent-ink" />
      </Base.Root>
    </div>
  )
}
