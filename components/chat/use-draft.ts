'use client'

import { useCallback, useEffect, useRef, useState } from 'react'
import { keepDraft, readDraft } from './draft-store'

const restMs = 300

/** The composer's text, kept for the next visit a moment after each change and when the page is left. */
export function useDraft(key: string): [string, (text: string) => void] {
  const [text, setText] = useState('')
  const pending = useRef<{ timer: ReturnType<typeof setTimeout>; write: () => void } | undefined>(undefined)
  const keyNow = useRef(key)
  keyNow.current = key

  const flush = useCallback(() => {
    clearTimeout(pending.current?.timer)
    pending.current?.write()
    pending.current = undefined
  }, [])

  useEffect(() => {
    // The server knows no drafts, so the first paint has none.
    setText((typed) => typed || readDraft(keyNow.current))
    addEventListener('pagehide', flush)
    return () => {
      removeEventListener('pagehide', flush)
      flush()
    }
  }, [flush])

  const change = useCallback((next: string) => {
    setText(next)
    clearTimeout(pending.current?.timer)
    const write = (): void => keepDraft(keyNow.current, next)
    // A sent message must not come back as a draft.
    if (next === '') write()
    pending.current = { timer: setTimeout(write, restMs), write }
  }, [])
  return [text, change]
}
