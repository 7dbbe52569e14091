'use client'

import { ArrowUp, Paperclip, Square } from 'lucide-react'
import dynamic from 'next/dynamic'
import {
  type ClipboardEvent,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useRef,
  useState,
} from 'react'
import { maxMessageLength } from '@/lib/contracts/limits'
import type { Attachment, AttachmentStore } from './attachment-store'
import { PromptPicker } from './prompt-picker'
import { useGrowingTextarea } from './use-growing-textarea'
import type { Picking } from './use-prompts'

const AttachmentList = dynamic(() => import('./attachment-list').then((module) => module.AttachmentList))

type ComposerProps = {
  area: RefObject<HTMLTextAreaElement | null>
  text: string
  onText: (text: string) => void
  onSend: (text: string) => void
  /** ↑ in an empty composer. */
  onEditLast: () => void
  files: readonly Attachment[]
  attachments: AttachmentStore
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

function AttachButton({ onFiles }: { onFiles: (files: FileList) => void }) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files to attach"
        onChange={({ currentTarget }) => {
          if (currentTarget.files) onFiles(currentTarget.files)
          // The same file can be chosen again.
          currentTarget.value = ''
        }}
      />
      <button
        type="button"
        aria-label="Attach files"
        title="Attach files (or paste, or drop them)"
        onClick={() => input.current?.click()}
        className={`${round} text-ink-soft hover:bg-ink/6 hover:text-ink`}
      >
        <Paperclip size={18} aria-hidden />
      </button>
    </>
  )
}

/** Sends as soon as nothing is on its way any more; not if a file failed. */
function useWaitingSend(files: readonly Attachment[], send: () => void) {
  const [isWaiting, setIsWaiting] = useState(false)
  const isUploading = files.some(({ state }) => state === 'waiting' || state === 'uploading')
  const hasFailed = files.some(({ state }) => state === 'failed')
  const sendNow = useRef(send)
  sendNow.current = send
  useEffect(() => {
    if (!isWaiting || isUploading) return
    setIsWaiting(false)
    if (!hasFailed) sendNow.current()
  }, [isWaiting, isUploading, hasFailed])
  return { isWaiting, isUploading, hasFailed, sendLater: () => setIsWaiting(true) }
}

function FilesNote({ isWaiting, hasFailed }: { isWaiting: boolean; hasFailed: boolean }) {
  if (!isWaiting && !hasFailed) return null
  return (
    <p role="status" className="px-4 pb-2 text-ink-soft text-label">
      {hasFailed
        ? 'Not every file could be uploaded. Try again or remove it, then send.'
        : 'The message is sent as soon as its files are uploaded.'}
    </p>
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

/** What was typed before the page came to life stands in the field; here it is taken notice of. */
function useTypedEarly(area: RefObject<HTMLTextAreaElement | null>, onText: (text: string) => void): void {
  const take = useRef(onText)
  useEffect(() => {
    if (area.current?.value) take.current(area.current.value)
  }, [area])
}

/** Where messages are written. Enter sends, Shift+Enter begins a line, `/` opens the prompts. */
export function Composer(props: ComposerProps) {
  const { area, text, onText, onSend, onEditLast, busy, stopping, onStop, agentName, prompts, children } =
    props
  useGrowingTextarea(area, text)
  useTypedEarly(area, onText)
  const { files, attachments } = props
  const waiting = useWaitingSend(files, () => onSend(text))
  const hasContent = text.trim() !== '' || files.length > 0
  const ready = hasContent && text.length <= maxMessageLength && !waiting.hasFailed && !waiting.isWaiting

  function submit(): void {
    if (!ready || busy) return
    if (waiting.isUploading) waiting.sendLater()
    else onSend(text)
  }

  function paste(event: ClipboardEvent): void {
    const { files: pasted, types } = event.clipboardData
    // What is copied from a document comes as a picture, too; its text is meant.
    const isDocument = types.includes('text/plain') && types.includes('text/html')
    if (pasted.length === 0 || isDocument) return
    event.preventDefault()
    attachments.add(pasted)
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
      {files.length > 0 ? (
        <AttachmentList items={files} store={attachments} onLeave={() => area.current?.focus()} />
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
        onPaste={paste}
        enterKeyHint="send"
        className="field-sizing-content block max-h-[40dvh] min-h-[50px] w-full resize-none bg-transparent px-4 pt-3.5 pb-1 text-body outline-none"
      />
      <LengthNote length={text.length} />
      <FilesNote isWaiting={waiting.isWaiting} hasFailed={waiting.hasFailed} />
      <div className="flex items-center justify-between gap-2 px-2 pb-2">
        <div className="flex min-w-0 items-center gap-1">
          <AttachButton onFiles={(chosen) => attachments.add(chosen)} />
          {children}
        </div>
        {busy ? <StopButton stopping={stopping} onStop={onStop} /> : <SendButton ready={ready} />}
      </div>
    </form>
  )
}
