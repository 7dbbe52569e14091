'use client'

import { type KeyboardEvent, useId, useMemo, useState } from 'react'
import type { PromptRecord } from '@/lib/contracts/projects'
import { promptOptionId } from './prompt-picker'
import { matchPrompts, variablesOf } from './prompt-text'

/** What the composer shows and does with an agent's prompts. */
export type Picking = {
  listId: string
  isOpen: boolean
  matches: readonly PromptRecord[]
  activeIndex: number
  activeOptionId: string | undefined
  setActive(index: number): void
  pick(prompt: PromptRecord): void
  /** True when the key belonged to the list and is dealt with. */
  takeKey(event: KeyboardEvent): boolean
  /** The prompt whose variables are being asked for. */
  asking: PromptRecord | null
  stopAsking(): void
  /** Puts a finished text into the composer. */
  fill(text: string): void
}

/** The prompts of an agent in the composer: open while the text is one line that begins with a slash. */
export function usePrompts(
  prompts: readonly PromptRecord[],
  text: string,
  insert: (text: string) => void,
): Picking {
  const listId = useId()
  const [active, setActive] = useState(0)
  const [dismissed, setDismissed] = useState('')
  const [asking, setAsking] = useState<PromptRecord | null>(null)
  const isOpen = prompts.length > 0 && text.startsWith('/') && !text.includes('\n') && text !== dismissed
  const matches = useMemo(() => (isOpen ? matchPrompts(prompts, text.slice(1)) : []), [isOpen, prompts, text])
  const activeIndex = Math.min(active, Math.max(0, matches.length - 1))

  function pick(prompt: PromptRecord): void {
    setActive(0)
    if (variablesOf(prompt).length > 0) setAsking(prompt)
    else fill(prompt.content)
  }

  function takeKey(event: KeyboardEvent): boolean {
    if (!isOpen) return false
    const chosen = matches[activeIndex]
    if (event.key === 'Escape') setDismissed(text)
    else if (event.key === 'ArrowDown') setActive((activeIndex + 1) % Math.max(1, matches.length))
    else if (event.key === 'ArrowUp')
      setActive((activeIndex - 1 + matches.length) % Math.max(1, matches.length))
    else if (chosen && (event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey) pick(chosen)
    else return false
    event.preventDefault()
    return true
  }

  function fill(filled: string): void {
    setAsking(null)
    insert(filled)
  }

  return {
    listId,
    isOpen,
    matches,
    activeIndex,
    activeOptionId: isOpen && matches.length > 0 ? promptOptionId(listId, activeIndex) : undefined,
    setActive,
    pick,
    takeKey,
    asking,
    stopAsking: () => setAsking(null),
    fill,
  }
}
