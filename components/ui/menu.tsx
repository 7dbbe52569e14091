'use client'

import { cloneElement, useId, useRef, useState } from 'react'
import type { MenuChoiceProps, MenuItemProps, MenuLinkProps, MenuProps } from './menu-parts'
import { notifyFailure } from './toast'

/*
 * What a menu is made of is loaded when a pointer or the focus first comes near one. The parts below stand
 * inside an open menu only, so they are there by then.
 */
let parts: typeof import('./menu-parts') | undefined

async function loadParts(): Promise<void> {
  parts ??= await import('./menu-parts')
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

export function MenuItem(props: MenuItemProps) {
  return parts ? <parts.MenuItem {...props} /> : null
}

export function MenuLink(props: MenuLinkProps) {
  return parts ? <parts.MenuLink {...props} /> : null
}

export function MenuSeparator() {
  return parts ? <parts.MenuSeparator /> : null
}

/** One of several, inside a menu: the chosen one has a tick. */
export function MenuChoice<T extends string>(props: MenuChoiceProps<T>) {
  return parts ? <parts.MenuChoice {...props} /> : null
}
