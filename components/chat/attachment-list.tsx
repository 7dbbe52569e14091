'use client'

import { FileText, RotateCw, X } from 'lucide-react'
import type { Attachment, AttachmentStore } from './attachment-store'
import { sayBytes } from './file-words'

function sayState(item: Attachment): string {
  if (item.state === 'failed') return item.problem
  if (item.state === 'ready') return sayBytes(item.bytes)
  if (item.state === 'waiting') return `${sayBytes(item.bytes)} · waiting`
  return `${sayBytes(item.bytes)} · ${Math.round(item.progress * 100)} %`
}

function Progress({ name, progress }: { name: string; progress: number }) {
  return (
    <progress
      aria-label={`Uploading ${name}`}
      max={1}
      value={progress}
      className="file-progress absolute inset-x-0 bottom-0 h-1 w-full"
    />
  )
}

type ItemProps = { item: Attachment; onRemove: () => void; onRetry: () => void }

const small =
  'inline-flex size-8 pointer-coarse:size-11 shrink-0 items-center justify-center rounded-full transition-colors hover:bg-ink/8'

function AttachmentItem({ item, onRemove, onRetry }: ItemProps) {
  const { name, preview, state } = item
  const isFailed = state === 'failed'
  return (
    <li
      className={`relative flex w-64 max-w-full items-center gap-2 overflow-hidden rounded-panel p-1.5 ${isFailed ? 'bg-bad/8' : 'bg-surface'}`}
    >
      {preview ? (
        <img src={preview} alt="" className="size-10 shrink-0 rounded-[6px] object-cover" />
      ) : (
        <span className="flex size-10 shrink-0 items-center justify-center rounded-[6px] bg-ink/6">
          <FileText size={18} aria-hidden />
        </span>
      )}
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium text-label" title={name}>
          {name}
        </p>
        <p
          role={isFailed ? 'alert' : undefined}
          className={isFailed ? 'text-bad text-label' : 'truncate text-ink-soft text-label'}
        >
          {sayState(item)}
        </p>
      </div>
      {isFailed ? (
        <button
          type="button"
          aria-label={`Upload ${name} again`}
          title="Try again"
          className={small}
          onClick={onRetry}
        >
          <RotateCw size={15} aria-hidden />
        </button>
      ) : null}
      <button type="button" aria-label={`Remove ${name}`} title="Remove" className={small} onClick={onRemove}>
        <X size={16} aria-hidden />
      </button>
      {state === 'uploading' ? <Progress name={name} progress={item.progress} /> : null}
    </li>
  )
}

type AttachmentListProps = { items: readonly Attachment[]; store: AttachmentStore; onLeave: () => void }

/** The files in the composer, above its text. `onLeave` is called when the focused one is gone. */
export function AttachmentList({ items, store, onLeave }: AttachmentListProps) {
  const ready = items.filter(({ state }) => state === 'ready').length
  return (
    <>
      <ul aria-label="Attached files" className="flex max-h-48 flex-wrap gap-2 overflow-y-auto px-3 pt-3">
        {items.map((item) => (
          <AttachmentItem
            key={item.key}
            item={item}
            onRetry={() => store.retry(item.key)}
            onRemove={() => {
              store.remove(item.key)
              onLeave()
            }}
          />
        ))}
      </ul>
      <p role="status" className="sr-only">
        {`${ready} of ${items.length} ${items.length === 1 ? 'file' : 'files'} uploaded`}
      </p>
    </>
  )
}
