'use client'

import { useEffect, useRef, useState } from 'react'
import { Button } from '../ui/button'
import { useGrowingTextarea } from './use-growing-textarea'

type MessageEditorProps = { initial: string; onCancel: () => void; onSend: (text: string) => void }

/** Edits a message in its place. Sending makes a new branch; the old one stays. */
export function MessageEditor({ initial, onCancel, onSend }: MessageEditorProps) {
  const [text, setText] = useState(initial)
  const area = useRef<HTMLTextAreaElement>(null)
  useGrowingTextarea(area, text)
  useEffect(() => {
    const element = area.current
    element?.focus()
    element?.setSelectionRange(element.value.length, element.value.length)
  }, [])
  const ready = text.trim() !== ''
  return (
    <form
      className="mb-4 rounded-composer bg-surface p-3"
      onSubmit={(event) => {
        event.preventDefault()
        if (ready) onSend(text)
      }}
    >
      <textarea
        ref={area}
        dir="auto"
        aria-label="Edit your message"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return
          if (event.key === 'Escape') {
            event.preventDefault()
            onCancel()
          }
          if (event.key === 'Enter' && !event.shiftKey) {
            event.preventDefault()
            if (ready) onSend(text)
          }
        }}
        className="field-sizing-content block max-h-[50dvh] min-h-16 w-full resize-none bg-transparent px-1 text-body outline-none"
      />
      <div className="mt-2 flex flex-wrap items-center justify-end gap-2">
        <p className="mr-auto px-1 text-ink-soft text-label">The earlier version stays.</p>
        <Button size="small" look="ghost" onClick={onCancel}>
          Cancel
        </Button>
        <Button size="small" look="primary" type="submit" disabled={!ready}>
          Send
        </Button>
      </div>
    </form>
  )
}
