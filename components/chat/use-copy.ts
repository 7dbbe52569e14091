'use client'

import { useEffect, useRef, useState } from 'react'
import { notify } from '../ui/toast'

// Without https there is no clipboard API; a selection can still be copied.
function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.style.position = 'fixed'
  area.style.opacity = '0'
  document.body.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  return done
}

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const focused = document.activeElement
    const done = copyBySelection(text)
    if (focused instanceof HTMLElement) focused.focus()
    return done
  }
}

/** Copies text; `copied` is true for two seconds after it worked. */
export function useCopy(): { copied: boolean; copy: (text: string) => void } {
  const [copied, setCopied] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])

  async function run(text: string): Promise<void> {
    if (!(await copyText(text))) {
      notify({
        title: 'The browser did not allow copying',
        description: 'Select the text and copy it yourself.',
      })
      return
    }
    setCopied(true)
    clearTimeout(timer.current)
    timer.current = setTimeout(setCopied, 2000, false)
  }
  return { copied, copy: (text) => void run(text) }
}
