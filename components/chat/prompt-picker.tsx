'use client'

import { useEffect, useRef } from 'react'
import type { PromptRecord } from '@/lib/contracts/projects'

type PromptPickerProps = {
  id: string
  prompts: readonly PromptRecord[]
  activeIndex: number
  onActive: (index: number) => void
  onPick: (prompt: PromptRecord) => void
}

/** The id of one line, which the composer names as its active descendant. */
export function promptOptionId(listId: string, index: number): string {
  return `${listId}-${index}`
}

/** The agent's prompts above the composer, while a slash begins the text. */
export function PromptPicker({ id, prompts, activeIndex, onActive, onPick }: PromptPickerProps) {
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    list.current?.children[activeIndex]?.scrollIntoView({ block: 'nearest' })
  }, [activeIndex])
  return (
    <div className="absolute inset-x-0 bottom-full z-10 mb-2 overflow-hidden rounded-panel bg-raised shadow-float">
      <div
        ref={list}
        id={id}
        role="listbox"
        aria-label="Prompts"
        className="max-h-[40dvh] overflow-y-auto p-1"
      >
        {prompts.map((prompt, index) => (
          <div
            key={prompt.id}
            id={promptOptionId(id, index)}
            role="option"
            tabIndex={-1}
            aria-selected={index === activeIndex}
            // The composer keeps the focus.
            onMouseDown={(event) => event.preventDefault()}
            onMouseMove={() => onActive(index)}
            onClick={() => onPick(prompt)}
            onKeyDown={() => {}}
            className="cursor-pointer rounded-[6px] px-3 py-2 aria-selected:bg-ink/6"
          >
            <p className="truncate font-medium text-ui">{prompt.title}</p>
            <p className="truncate text-ink-soft text-label">{prompt.content}</p>
          </div>
        ))}
        {prompts.length === 0 ? (
          <p className="px-3 py-2 text-ink-soft text-ui">No prompt matches. Esc keeps what you typed.</p>
        ) : null}
      </div>
    </div>
  )
}
