'use client'

import {
  type ComponentProps,
  cloneElement,
  type ReactElement,
  type ReactNode,
  useId,
  useRef,
  useState,
} from 'react'
import { notifyFailure } from './toast'

/*
 * What a menu is made of is loaded when a pointer or the focus first comes near one. The parts below stand
 * inside an open menu only, so they are there by then.
 */
let parts: typeof import('./menu-parts') | undefined

async function loadParts(): Promise<void> {
  parts ??= await import('./menu-parts')
}

export type MenuProps = {
  /** The button that opens it, such as an IconButton. */
  trigger: ReactElement<ComponentProps<'button'>>
  side?: 'top' | 'bottom' | 'right'
  align?: 'start' | 'center' | 'end'
  /** As wide as the trigger at least. */
  matchTrigger?: boolean
  children: ReactNode
}

/** A menu of actions. Arrow keys, first letters and Escape work. */
export function Menu({ trigger, ...rest }: MenuProps) {
  const id = useId()
  const anchor = useRef<HTMLButtonElement>(null)
  const [open, setOpen] = useState(false)

  function show() {
    loadParts().then(
      () => setOpen(true),
      (error: unknown) => notifyFailure('The menu could not be opened', error),
    )
  }
  const prepare = () => void loadParts().catch(() => {})

  return (
    <>
      {cloneElement(trigger, {
        id,
        ref: anchor,
        'aria-haspopup': 'menu',
        'aria-expanded': open,
        ...(open ? { 'data-popup-open': '' } : {}),
        onPointerEnter: prepare,
        onFocus: prepare,
        onClick: () => (open ? setOpen(false) : show()),
        onKeyDown: (event) => {
          if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
          event.preventDefault()
          show()
        },
      })}
      {parts ? (
        <parts.MenuWindow open={open} onOpenChange={setOpen} anchor={anchor} labelledBy={id} {...rest} />
      ) : null}
    </>
  )
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

export function MenuItem(props: MenuItemProps) {
  return parts ? <parts.MenuItem {...props} /> : null
}

export type MenuLinkProps = { icon?: ReactNode; href: string; children: ReactNode }

export function MenuLink(props: MenuLinkProps) {
  return parts ? <parts.MenuLink {...props} /> : null
}

export function MenuSeparator() {
  return parts ? <parts.MenuSeparator /> : null
}

export type MenuChoiceProps<T extends string> = {
  label: string
  value: T
  onChange: (value: T) => void
  options: { value: T; label: string; icon?: ReactNode }[]
}

/** One of several, inside a menu: the chosen one has a tick. */
export function MenuChoice<T extends string>(props: MenuChoiceProps<T>) {
  return parts ? <parts.MenuChoice {...props} /> : null
}
