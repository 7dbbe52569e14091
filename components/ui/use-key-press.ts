'use client'

import { useEffect, useEffectEvent } from 'react'

/** Whether a key that is pressed there is meant for something else: a field, a menu or a window. */
function isTaken(target: EventTarget | null): boolean {
  if (document.querySelector('[role=dialog], [role=alertdialog], [role=menu], [role=listbox]')) return true
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null
}

/** Does something when one key alone is pressed, while nothing is typed into and no window is open. */
export function useKeyPress(key: string, run: () => void): void {
  const press = useEffectEvent(run)
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || event.repeat) return
      if (event.metaKey || event.ctrlKey || event.altKey || event.key.toLowerCase() !== key) return
      if (isTaken(event.target)) return
      event.preventDefault()
      press()
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [key])
}
