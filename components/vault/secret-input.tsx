'use client'

import { type ComponentProps, type RefObject, useEffect, useRef } from 'react'
import { Input } from '@/components/ui/field'

/**
 * Holds on to the element that a secret is typed into. The secret is nowhere else: it stays there while saving
 * fails, and is wiped when it is saved, when the window closes, and before the page is put away.
 */
export function useSecret(): {
  ref: RefObject<HTMLInputElement | null>
  read: () => string
  wipe: () => void
} {
  const ref = useRef<HTMLInputElement>(null)
  const wipe = () => {
    if (ref.current) ref.current.value = ''
  }
  useEffect(() => {
    const input = ref.current
    const empty = () => {
      if (input) input.value = ''
    }
    // A page that the browser keeps, to come back to, is kept with what was typed.
    window.addEventListener('pagehide', empty)
    return () => {
      window.removeEventListener('pagehide', empty)
      empty()
    }
  }, [])
  return { ref, read: () => ref.current?.value.trim() ?? '', wipe }
}

/** No React state, no name and no form data: the secret lives in the element alone. */
export function SecretInput(props: ComponentProps<'input'>) {
  return (
    <Input
      {...props}
      type="password"
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      required
      maxLength={4096}
      className="font-mono"
      // Password managers are asked not to keep it as a login.
      data-1p-ignore
      data-lpignore="true"
    />
  )
}
