'use client'

import { Archive, Ellipsis, PenLine, Pin, PinOff, Trash2 } from 'lucide-react'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { memo, useEffect, useRef, useState } from 'react'
import type { ConversationRecord, UpdateConversation } from '@/lib/contracts/conversations'
import { IconButton } from '../ui/button'
import { Menu, MenuItem, MenuSeparator } from '../ui/menu'
import { RequestError, request } from '../ui/request'
import { notify, notifyFailure, offerUndo } from '../ui/toast'
import { forgetConversation, hideInList, mergeIntoList } from './conversation-store'

/** Changes a conversation at once on the screen and then on the server; puts it back if that fails. */
async function change(conversation: ConversationRecord, fields: UpdateConversation): Promise<boolean> {
  const { current_message_id: _place, ...shown } = fields
  mergeIntoList([{ ...conversation, ...shown }])
  try {
    await request('PATCH', `/api/conversations/${conversation.id}`, fields)
    return true
  } catch (error) {
    mergeIntoList([conversation])
    notifyFailure(`“${conversation.title}” could not be changed`, error)
    return false
  }
}

async function archive(conversation: ConversationRecord): Promise<void> {
  if (!(await change(conversation, { archived: true }))) return
  notify({
    title: `Archived “${conversation.title}”`,
    action: {
      label: 'Undo',
      onPress: () => void change({ ...conversation, archived: true }, { archived: false }),
    },
  })
}

function deleteWithUndo({ id, title }: ConversationRecord): void {
  hideInList(id, true)
  offerUndo({
    title: `Deleted “${title}”`,
    commit: async (leaving) => {
      await request('DELETE', `/api/conversations/${id}`, undefined, { keepalive: leaving }).catch(
        (error: unknown) => {
          // Another device was quicker.
          if (!(error instanceof RequestError && error.status === 404)) throw error
        },
      )
      forgetConversation(id)
      hideInList(id, false)
    },
    restore: () => hideInList(id, false),
  })
}

function TitleField({ conversation, onDone }: { conversation: ConversationRecord; onDone: () => void }) {
  const [title, setTitle] = useState(conversation.title)
  const field = useRef<HTMLInputElement>(null)
  const over = useRef(false)
  useEffect(() => field.current?.select(), [])
  const finish = (keep: boolean): void => {
    if (over.current) return
    over.current = true
    const next = title.trim()
    if (keep && next !== '' && next !== conversation.title) void change(conversation, { title: next })
    onDone()
  }
  return (
    <input
      ref={field}
      aria-label="Title of the conversation"
      value={title}
      maxLength={200}
      onChange={(event) => setTitle(event.target.value)}
      onBlur={() => finish(true)}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return
        if (event.key === 'Enter') finish(true)
        if (event.key !== 'Escape') return
        event.preventDefault()
        finish(false)
      }}
      className="h-8 pointer-coarse:h-11 w-full rounded-control border border-accent bg-canvas px-[11px] text-ui pointer-coarse:text-[16px] outline-none"
    />
  )
}

function RowMenu({ conversation, onRename }: { conversation: ConversationRecord; onRename: () => void }) {
  const router = useRouter()
  const leave = (): void => {
    // The page of a conversation that is gone would only say so.
    if (window.location.pathname.endsWith(conversation.id)) router.push(`/chat/${conversation.agent_id}`)
  }
  return (
    <Menu
      align="end"
      trigger={
        <IconButton
          label={`Options for ${conversation.title}`}
          size="small"
          className="absolute top-0 right-0 opacity-0 pointer-coarse:opacity-100 focus-visible:opacity-100 group-focus-within:opacity-100 group-hover:opacity-100 data-popup-open:opacity-100"
        >
          <Ellipsis size={16} aria-hidden />
        </IconButton>
      }
    >
      <MenuItem icon={<PenLine size={16} aria-hidden />} onSelect={onRename}>
        Rename
      </MenuItem>
      <MenuItem
        icon={conversation.pinned ? <PinOff size={16} aria-hidden /> : <Pin size={16} aria-hidden />}
        onSelect={() => void change(conversation, { pinned: !conversation.pinned })}
      >
        {conversation.pinned ? 'Unpin' : 'Pin'}
      </MenuItem>
      <MenuItem
        icon={<Archive size={16} aria-hidden />}
        onSelect={() => {
          leave()
          void archive(conversation)
        }}
      >
        Archive
      </MenuItem>
      <MenuSeparator />
      <MenuItem
        danger
        icon={<Trash2 size={16} aria-hidden />}
        onSelect={() => {
          leave()
          deleteWithUndo(conversation)
        }}
      >
        Delete
      </MenuItem>
    </Menu>
  )
}

type RowProps = {
  conversation: ConversationRecord
  isCurrent: boolean
  /** Of the group that begins here. */
  heading?: string
}

/** One conversation in the list: where it leads, whether it is being answered, what can be done with it. */
export const ConversationRow = memo(function ConversationRow({ conversation, isCurrent, heading }: RowProps) {
  return (
    <li className="not-first:has-[h2]:pt-3">
      {heading === undefined ? null : <h2 className="px-3 pt-1 pb-1 text-ink-soft text-label">{heading}</h2>}
      <RowLine conversation={conversation} isCurrent={isCurrent} />
    </li>
  )
})

function RowLine({ conversation, isCurrent }: Omit<RowProps, 'heading'>) {
  const [renaming, setRenaming] = useState(false)
  const link = useRef<HTMLAnchorElement>(null)
  const { id, agent_id, title, running } = conversation
  if (renaming) {
    return (
      <TitleField
        conversation={conversation}
        onDone={() => {
          setRenaming(false)
          requestAnimationFrame(() => link.current?.focus())
        }}
      />
    )
  }
  return (
    <div className="group relative">
      <Link
        ref={link}
        href={`/chat/${agent_id}/${id}`}
        prefetch={false}
        aria-current={isCurrent ? 'page' : undefined}
        title={title}
        className="flex h-8 pointer-coarse:h-11 items-center gap-2 rounded-control pr-8 pl-3 text-ink-soft text-ui transition-colors pointer-coarse:pr-11 hover:bg-ink/5 hover:text-ink aria-[current=page]:bg-ink/7 aria-[current=page]:font-medium aria-[current=page]:text-ink"
      >
        <span className="min-w-0 flex-1 truncate">{title}</span>
        {running ? (
          <span className="flex shrink-0 items-center">
            <span aria-hidden className="size-2 animate-pulse rounded-full bg-accent" />
            <span className="sr-only">, being answered</span>
          </span>
        ) : null}
      </Link>
      <RowMenu conversation={conversation} onRename={() => setRenaming(true)} />
    </div>
  )
}
