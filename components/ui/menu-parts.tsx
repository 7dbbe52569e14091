'use client'

import { Menu as Base } from '@base-ui/react/menu'
import { Check } from 'lucide-react'
import Link from 'next/link'
import type { ComponentProps, ReactElement, ReactNode, RefObject } from 'react'
import { cn } from './class-names'

const itemClasses = cn(
  'flex min-h-8 cursor-default select-none items-center gap-2.5 rounded-[6px] px-2 py-1.5 text-ui outline-none',
  'pointer-coarse:min-h-11 data-disabled:opacity-50 data-highlighted:bg-ink/6',
)

export type MenuProps = {
  /** The button that opens it, such as an IconButton. */
  trigger: ReactElement<ComponentProps<'button'>>
  side?: 'top' | 'bottom' | 'right'
  align?: 'start' | 'center' | 'end'
  /** As wide as the trigger at least. */
  matchTrigger?: boolean
  children: ReactNode
}

export type MenuItemProps = {
  icon?: ReactNode
  /** What stands at the end of the line, such as a shortcut. */
  end?: ReactNode
  danger?: boolean
  disabled?: boolean
  onSelect: () => void
  children: ReactNode
}

export type MenuLinkProps = { icon?: ReactNode; href: string; children: ReactNode }

export type MenuChoiceProps<T extends string> = {
  label: string
  value: T
  onChange: (value: T) => void
  options: { value: T; label: string; icon?: ReactNode }[]
}

type MenuWindowProps = Omit<MenuProps, 'trigger'> & {
  open: boolean
  onOpenChange: (open: boolean) => void
  anchor: RefObject<HTMLElement | null>
  labelledBy: string
}

/** Whether the focus is still in the menu or nowhere: a window that an item opened keeps it. */
function isFocusFree(): boolean {
  const at = document.activeElement
  return at === null || at === document.body || at.closest('[role=menu]') !== null
}

/** The open part of a menu, beside the button that opened it. */
export function MenuWindow({ open, onOpenChange, anchor, labelledBy, children, ...place }: MenuWindowProps) {
  const { side = 'bottom', align = 'start', matchTrigger } = place
  return (
    <Base.Root open={open} onOpenChange={onOpenChange}>
      <Base.Portal render={<section aria-label="Menu" />}>
        <Base.Positioner
          anchor={anchor}
          side={side}
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 outline-none"
        >
          <Base.Popup
            aria-labelledby={labelledBy}
            finalFocus={() => (isFocusFree() ? anchor.current : false)}
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

export function MenuItem({ icon, end, danger, disabled, onSelect, children }: MenuItemProps) {
  return (
    <Base.Item className={cn(itemClasses, danger && 'text-bad')} disabled={disabled} onClick={onSelect}>
      {icon}
      <span className="flex-1">{children}</span>
      {end}
    </Base.Item>
  )
}

export function MenuLink({ icon, href, children }: MenuLinkProps) {
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
