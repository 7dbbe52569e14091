'use client'

import { Menu as Base } from '@base-ui/react/menu'
import { Check } from 'lucide-react'
import Link from 'next/link'
import type { ReactElement, ReactNode } from 'react'
import { cn } from './class-names'

const itemClasses = cn(
  'flex min-h-8 cursor-default select-none items-center gap-2.5 rounded-[6px] px-2 py-1.5 text-ui outline-none',
  'pointer-coarse:min-h-11 data-disabled:opacity-50 data-highlighted:bg-ink/6',
)

type MenuProps = {
  /** The button that opens it, such as an IconButton. */
  trigger: ReactElement
  side?: 'top' | 'bottom' | 'right'
  align?: 'start' | 'center' | 'end'
  /** As wide as the trigger at least. */
  matchTrigger?: boolean
  children: ReactNode
}

/** A menu of actions. Arrow keys, first letters and Escape work. */
export function Menu({ trigger, side = 'bottom', align = 'start', matchTrigger, children }: MenuProps) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal render={<section aria-label="Menu" />}>
        <Base.Positioner
          side={side}
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 outline-none"
        >
          <Base.Popup
            className={cn(
              'float-motion max-h-(--available-height) min-w-48 max-w-[calc(100vw-16px)] overflow-y-auto rounded-panel bg-raised p-1 shadow-float outline-none',
              matchTrigger && 'w-(--anchor-width)',
            )}
          >
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}

type MenuItemProps = {
  icon?: ReactNode
  /** What stands at the end of the line, such as a shortcut. */
  end?: ReactNode
  danger?: boolean
  disabled?: boolean
  onSelect: () => void
  children: ReactNode
}

export function MenuItem({ icon, end, danger, disabled, onSelect, children }: MenuItemProps) {
  return (
    <Base.Item className={cn(itemClasses, danger && 'text-bad')} disabled={disabled} onClick={onSelect}>
      {icon}
      <span className="flex-1">{children}</span>
      {end}
    </Base.Item>
  )
}

export function MenuLink({ icon, href, children }: { icon?: ReactNode; href: string; children: ReactNode }) {
  return (
    <Base.LinkItem className={itemClasses} closeOnClick render={<Link href={href} />}>
      {icon}
      <span className="flex-1">{children}</span>
    </Base.LinkItem>
  )
}

export function MenuSeparator() {
  return <Base.Separator className="mx-2 my-1 h-px bg-line" />
}

type MenuChoiceProps<T extends string> = {
  label: string
  value: T
  onChange: (value: T) => void
  options: { value: T; label: string; icon?: ReactNode }[]
}

/** One of several, inside a menu: the chosen one has a tick. */
export function MenuChoice<T extends string>({ label, value, onChange, options }: MenuChoiceProps<T>) {
  return (
    <Base.Group>
      <Base.GroupLabel className="px-2 pt-1.5 pb-1 text-ink-soft text-label">{label}</Base.GroupLabel>
      <Base.RadioGroup value={value} onValueChange={(next) => onChange(next as T)}>
        {options.map((option) => (
          <Base.RadioItem key={option.value} value={option.value} className={itemClasses}>
            {option.icon}
            <span className="flex-1">{option.label}</span>
            <Base.RadioItemIndicator>
              <Check size={16} aria-hidden />
            </Base.RadioItemIndicator>
          </Base.RadioItem>
        ))}
      </Base.RadioGroup>
    </Base.Group>
  )
}
