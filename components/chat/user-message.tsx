'use client'

import { useState } from 'react'
import type { MessageRecord } from '@/lib/contracts/conversations'
import { Button } from '../ui/button'
import { LinkButton } from '../ui/link-button'
import type { ChatDeeds, Unsent } from './chat-deeds'
import type { Send } from './chat-state'
import { MessageEditor } from './message-editor'
import { filesOf, MessageFiles } from './message-files'
import { TurnActions } from './turn-actions'
import type { Turn } from './turns'

// Longer ones are folded, so that a pasted log does not push its answer out of sight.
const foldAtLength = 2000
const foldAtLines = 24

function isLong(text: string): boolean {
  return text.length > foldAtLength || text.split('\n', foldAtLines + 1).length > foldAtLines
}

function Bubble({ message, dim }: { message: MessageRecord; dim: boolean }) {
  const [open, setOpen] = useState(false)
  const long = isLong(message.text)
  const shown = long && !open ? message.text.split('\n').slice(0, 12).join('\n').slice(0, 900) : message.text
  return (
    <div
      className={`max-w-[85%] rounded-composer rounded-br-[6px] bg-surface px-4 py-2.5 transition-opacity ${dim ? 'opacity-70' : ''}`}
    >
      <p dir="auto" className="wrap-anywhere whitespace-pre-wrap text-body">
        {shown}
        {long && !open ? '…' : null}
      </p>
      {long ? (
        <button
          type="button"
          aria-expanded={open}
          className="mt-1 rounded-[4px] pointer-coarse:min-h-11 font-medium text-accent text-ui"
          onClick={() => setOpen(!open)}
        >
          {open ? 'Show less' : 'Show all'}
        </button>
      ) : null}
    </div>
  )
}

type UnsentProps = {
  message: MessageRecord
  send: Send
  deeds: ChatDeeds
  onTakeBack: (unsent: Unsent) => void
}

function UnsentNote({ message, send, deeds, onTakeBack }: UnsentProps) {
  const { problem } = send
  return (
    <div role="alert" className="mt-2 max-w-[85%] rounded-panel bg-bad/8 px-4 py-3 text-ui">
      <p>
        <strong className="font-semibold">Not sent.</strong> {problem?.message}
      </p>
      <div className="mt-3 flex flex-wrap gap-2">
        {problem?.remedy === 'sign_in' ? (
          <LinkButton size="small" href={`/login?next=${encodeURIComponent(window.location.pathname)}`}>
            Sign in
          </LinkButton>
        ) : null}
        {problem?.remedy === 'reload' ? (
          <Button size="small" onClick={() => window.location.reload()}>
            Reload
          </Button>
        ) : null}
        {problem?.remedy === 'none' ? null : (
          <Button
            size="small"
            look={problem?.remedy === 'retry' ? 'secondary' : 'ghost'}
            onClick={() => deeds.retry(message.id)}
          >
            Send again
          </Button>
        )}
        <Button size="small" look="ghost" onClick={() => onTakeBack(deeds.discard(message.id))}>
          Back to the composer
        </Button>
      </div>
      {problem?.requestId ? (
        <p className="mt-2 break-all text-ink-soft text-label">Request {problem.requestId}</p>
      ) : null}
    </div>
  )
}

type UserMessageProps = {
  turn: Turn
  deeds: ChatDeeds
  editing: boolean
  onEdit: (messageId: string | null) => void
  onTakeBack: (unsent: Unsent) => void
}

/** What the reader wrote, on `surface` at the right. */
export function UserMessage({ turn, deeds, editing, onEdit, onTakeBack }: UserMessageProps) {
  const { message, send } = turn
  if (editing) {
    return (
      <MessageEditor
        initial={message.text}
        onCancel={() => onEdit(null)}
        onSend={(text) => {
          onEdit(null)
          deeds.edit(message.id, text)
        }}
      />
    )
  }
  const files = filesOf(message)
  return (
    <article aria-label="Your message" className="turn flex flex-col items-end">
      {files.length > 0 ? <MessageFiles files={files} /> : null}
      {message.text === '' && files.length > 0 ? null : (
        <Bubble message={message} dim={send?.state === 'sending'} />
      )}
      {send?.state === 'unsent' ? (
        <UnsentNote message={message} send={send} deeds={deeds} onTakeBack={onTakeBack} />
      ) : (
        <div className="mt-1 flex min-h-8 pointer-coarse:min-h-11 items-center">
          {send ? null : <TurnActions turn={turn} deeds={deeds} onEdit={() => onEdit(message.id)} />}
        </div>
      )}
    </article>
  )
}
