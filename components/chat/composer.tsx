'use client'

import { ArrowUp, Square } from 'lucide-react'
import type { KeyboardEvent, ReactNode, RefObject } from 'react'
import { maxMessageLength } from '@/lib/contracts/limits'
import { PromptPicker } from './prompt-picker'
import { useGrowingTextarea } from './use-growing-textarea'
import type { Picking } from './use-prompts'

type ComposerProps = {
  area: RefObject<HTMLTextAreaElement | null>
  text: string
  onText: (text: string) => void
  onSend: (text: string) => void
  /** ↑ in an empty composer. */
  onEditLast: () => void
  busy: boolean
  stopping: boolean
  onStop: () => void
  agentName: string
  prompts: Picking
  /** Who answers, at the foot of the composer. */
  children: ReactNode
}

const round =
  'inline-flex size-9 pointer-coarse:size-11 shrink-0 items-center justify-center rounded-full transition-colors disabled:cursor-not-allowed'

function SendButton({ ready }: { ready: boolean }) {
  return (
    <button
      type="submit"
      aria-label="Send"
      title="Send (Enter)"
      disabled={!ready}
      className={`${round} bg-accent text-accent-ink hover:bg-accent/88 disabled:bg-ink/10 disabled:text-ink-soft`}
    >
      <ArrowUp size={18} aria-hidden strokeWidth={2.25} />
    </button>
  )
}

function StopButton({ stopping, onStop }: { stopping: boolean; onStop: () => void }) {
  return (
    <button
      type="button"
      aria-label="Stop"
      title="Stop (Esc)"
      aria-busy={stopping || undefined}
      disabled={stopping}
      onClick={onStop}
      className={`${round} bg-ink text-canvas hover:bg-ink/85 disabled:opacity-60`}
    >
      <Square size={13} aria-hidden fill="currentColor" strokeWidth={0} />
    </button>
  )
}

function LengthNote({ length }: { length: number }) {
  if (length <= maxMessageLength * 0.95) return null
  const figures = new Intl.NumberFormat('en')
  const over = length - maxMessageLength
  return (
    <p role="status" className={`px-4 pb-2 text-label ${over > 0 ? 'text-bad' : 'text-ink-soft'}`}>
      {over > 0
        ? `${figures.format(over)} characters too long. A message holds ${figures.format(maxMessageLength)}.`
        : `${figures.format(-over)} characters left.`}
    </p>
  )
}

/** Where messages are written. Enter sends, Shift+Enter begins a line, `/` opens the prompts. */
export function Composer(props: ComposerProps) {
  const { area, text, onText, onSend, onEditLast, busy, stopping, onStop, agentName, prompts, children } =
    props
  useGrowingTextarea(area, text)
  const ready = text.trim() !== '' && text.length <= maxMessageLength

  function submit(): void {
    if (ready && !busy) onSend(text)
  }

  function takeKey(event: KeyboardEvent<HTMLTextAreaElement>): void {
    // While an input method composes, Enter chooses a word. Safari says so only by key code 229.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return
    if (prompts.takeKey(event)) return
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      submit()
    }
    if (event.key === 'ArrowUp' && text === '') {
      event.preventDefault()
      onEditLast()
    }
  }

  return (
    <form
      aria-label="Write a message"
      className="relative rounded-composer bg-raised shadow-composer"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      {prompts.isOpen ? (
        <PromptPicker
          id={prompts.listId}
          prompts={prompts.matches}
          activeIndex={prompts.activeIndex}
          onActive={prompts.setActive}
          onPick={prompts.pick}
        />
      ) : null}
      <textarea
        ref={area}
        rows={1}
        dir="auto"
        aria-label="Message"
        aria-autocomplete={prompts.isOpen ? 'list' : undefined}
        aria-controls={prompts.isOpen ? prompts.listId : undefined}
        aria-activedescendant={prompts.activeOptionId}
        placeholder={`Message ${agentName}`}
        value={text}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={takeKey}
        enterKeyHint="send"
        className="field-sizing-content block max-h-[40dvh] min-h-[50px] w-full resize-none bg-transparent px-4 pt-3.5 pb-1 text-body outline-none"
      />
      <LengthNote length={text.length} />
      <div className="flex items-center justify-between gap-2 px-2 pb-2">
        <div className="flex min-w-0 items-center">{children}</div>
        {busy ? <StopButton stopping={stopping} onStop={onStop} /> : <SendButton ready={ready} />}
      </div>
    </form>
  )
}
