'use client'

import { Tabs as Base } from '@base-ui/react/tabs'
import type { ReactNode } from 'react'
import { useAlive } from './use-alive'

type TabsProps<T extends string> = {
  label: string
  value: T
  onChange: (value: T) => void
  tabs: readonly { value: T; label: string }[]
  /** What belongs to the chosen tab. */
  children: ReactNode
}

/** One of a few views of the same thing. Arrow keys go from tab to tab; on a phone their row scrolls sideways. */
export function Tabs<T extends string>({ label, value, onChange, tabs, children }: TabsProps<T>) {
  // Until the page is alive it hears no press, and nothing names the tab that the Tab key reaches: it is the chosen one.
  const isAlive = useAlive()
  return (
    <Base.Root value={value} onValueChange={onChange} className="flex min-w-0 flex-col gap-3">
      <div className="-mx-4 overflow-x-auto px-4 sm:mx-0 sm:px-0">
        <Base.List aria-label={label} className="flex w-max min-w-full gap-1 border-b">
          {tabs.map((tab) => (
            <Base.Tab
              key={tab.value}
              value={tab.value}
              {...(!isAlive && { 'aria-disabled': true, ...(tab.value === value && { tabIndex: 0 }) })}
              className="-mb-px h-9 pointer-coarse:h-11 select-none whitespace-nowrap border-transparent border-b-2 px-3 text-ink-soft text-ui transition-colors -outline-offset-2 hover:text-ink data-active:border-ink data-active:font-medium data-active:text-ink"
            >
              {tab.label}
            </Base.Tab>
          ))}
        </Base.List>
      </div>
      <Base.Panel value={value} className="min-w-0 rounded-control">
        {children}
      </Base.Panel>
    </Base.Root>
  )
}
