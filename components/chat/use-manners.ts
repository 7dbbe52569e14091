'use client'

import { type RefObject, useEffect, useRef } from 'react'

/** Escape stops the answer, unless it closes something that is open above the page. */
export function useEscape(active: boolean, onEscape: () => void): void {
  const act = useRef(onEscape)
  act.current = onEscape
  useEffect(() => {
    if (!active) return
    const listen = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing) return
      if (document.querySelector('[role=dialog], [role=alertdialog], [role=menu], [role=listbox]')) return
      event.preventDefault()
      act.current()
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, [active])
}

/** The window is named after the conversation. */
export function useWindowTitle(title: string | undefined): void {
  useEffect(() => {
    if (title) document.title = `${title} · AL-Chat`
  }, [title])
}

/** Puts the cursor into the composer, except on a phone, whose keyboard would cover the conversation. */
export function useFirstFocus(area: RefObject<HTMLTextAreaElement | null>): void {
  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) area.current?.focus({ preventScroll: true })
  }, [area])
}
