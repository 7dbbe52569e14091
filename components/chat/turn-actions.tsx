'use client'

import { Check, ChevronLeft, ChevronRight, Copy, PenLine, RotateCcw } from 'lucide-react'
import type { ReactNode } from 'react'
import { IconButton } from '../ui/button'
import type { ChatDeeds } from './chat-deeds'
import type { Turn } from './turns'
import { useCopy } from './use-copy'

type ActionProps = {
  label: string
  onPress: () => void
  disabled?: boolean
  /** Hidden while an answer runs. */
  whenIdle?: boolean
  children: ReactNode
}

function Action({ label, onPress, disabled, whenIdle, children }: ActionProps) {
  return (
    <IconButton
      label={label}
      title={label}
      size="small"
      disabled={disabled}
      onClick={onPress}
      className={whenIdle ? 'when-idle' : undefined}
    >
      {children}
    </IconButton>
  )
}

function VersionSwitch({ turn, deeds }: { turn: Turn; deeds: ChatDeeds }) {
  const { version, versionCount, previousId, nextId } = turn
  if (versionCount < 2) return null
  const choose = (id: string | undefined): void => {
    if (id) deeds.chooseVersion(id)
  }
  return (
    <fieldset className="flex items-center">
      <legend className="sr-only">Versions of this message</legend>
      <Action label="Previous version" disabled={!previousId} onPress={() => choose(previousId)}>
        <ChevronLeft size={16} aria-hidden />
      </Action>
      <span className="min-w-7 text-center text-ink-soft text-label tabular-nums">
        <span className="sr-only">Version </span>
        {version}/{versionCount}
      </span>
      <Action label="Next version" disabled={!nextId} onPress={() => choose(nextId)}>
        <ChevronRight size={16} aria-hidden />
      </Action>
    </fieldset>
  )
}

type TurnActionsProps = { turn: Turn; deeds: ChatDeeds; onEdit?: (() => void) | undefined }

/** Versions, copy, edit or regenerate: what can be done with one message. */
export function TurnActions({ turn, deeds, onEdit }: TurnActionsProps) {
  const { copied, copy } = useCopy()
  const { message } = turn
  const isAnswer = message.role === 'assistant'
  return (
    <div className="turn-actions flex items-center">
      <VersionSwitch turn={turn} deeds={deeds} />
      {message.text === '' ? null : (
        <Action label={copied ? 'Copied' : 'Copy'} onPress={() => copy(message.text)}>
          {copied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
        </Action>
      )}
      {onEdit ? (
        <Action whenIdle label="Edit" onPress={onEdit}>
          <PenLine size={16} aria-hidden />
        </Action>
      ) : null}
      {isAnswer ? (
        <Action whenIdle label="Regenerate" onPress={() => deeds.regenerate(message.id)}>
          <RotateCcw size={16} aria-hidden />
        </Action>
      ) : null}
    </div>
  )
}
