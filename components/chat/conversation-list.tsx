'use client'

import { Search, X } from 'lucide-react'
import { usePathname } from 'next/navigation'
import { useEffect, useState, useSyncExternalStore } from 'react'
import type { ConversationRecord } from '@/lib/contracts/conversations'
import type { Listing } from '@/lib/contracts/primitives'
import { Button } from '../ui/button'
import { asRequestError, type RequestError, request } from '../ui/request'
import { notifyFailure } from '../ui/toast'
import { groupConversations } from './conversation-groups'
import { ConversationRow } from './conversation-row'
import { loadMoreConversations, useConversations } from './conversation-store'

/** A shorter list is read at a glance. */
const searchableFrom = 10

const never = (): (() => void) => () => {}

/** The time zone to group by: the server does not know the reader's, so the first paint takes UTC. */
function useTimeZone(): string | undefined {
  return useSyncExternalStore(
    never,
    () => undefined,
    () => 'UTC',
  )
}

type Found = { items: ConversationRecord[]; failure?: RequestError } | undefined

/** Conversations whose title has these words, a moment after the last key. */
function useSearch(query: string): Found {
  const [found, setFound] = useState<{ query: string; result: Found }>()
  useEffect(() => {
    if (query === '') return
    const controller = new AbortController()
    const timer = setTimeout(() => {
      const address = `/api/conversations?limit=50&query=${encodeURIComponent(query)}`
      request<Listing<ConversationRecord>>('GET', address, undefined, { signal: controller.signal })
        .then(({ items }) => setFound({ query, result: { items } }))
        .catch((error: unknown) => {
          if (!controller.signal.aborted)
            setFound({ query, result: { items: [], failure: asRequestError(error) } })
        })
    }, 150)
    return () => {
      clearTimeout(timer)
      controller.abort()
    }
  }, [query])
  // What was found for the words before stays until the new answer is there.
  return query === '' ? undefined : found?.result
}

function SearchBox({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <div className="relative px-2 pb-2">
      <Search
        size={14}
        aria-hidden
        className="pointer-events-none absolute top-2.5 left-5 pointer-coarse:top-[15px] text-ink-soft"
      />
      <input
        type="search"
        aria-label="Search conversations"
        placeholder="Search conversations"
        value={value}
        maxLength={200}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' || value === '') return
          event.preventDefault()
          onChange('')
        }}
        className="h-[34px] pointer-coarse:h-11 w-full rounded-control bg-ink/5 pr-8 pl-9 text-ui pointer-coarse:text-[16px] outline-offset-0 [&::-webkit-search-cancel-button]:hidden"
      />
      {value === '' ? null : (
        <button
          type="button"
          aria-label="Clear the search"
          onClick={() => onChange('')}
          className="absolute top-0 right-2 flex h-[34px] pointer-coarse:h-11 w-8 pointer-coarse:w-11 items-center justify-center rounded-control text-ink-soft hover:text-ink"
        >
          <X size={14} aria-hidden />
        </button>
      )}
    </div>
  )
}

function LoadMore() {
  const [busy, setBusy] = useState(false)
  const load = async (): Promise<void> => {
    setBusy(true)
    try {
      await loadMoreConversations()
    } catch (error) {
      notifyFailure('Older conversations could not be loaded', error)
    }
    setBusy(false)
  }
  return (
    <Button
      size="small"
      look="ghost"
      busy={busy}
      className="mx-2 mb-2 text-ink-soft"
      onClick={() => void load()}
    >
      Show older
    </Button>
  )
}

function Note({ children }: { children: string }) {
  return <p className="px-5 py-2 text-ink-soft text-ui">{children}</p>
}

/**
 * The reader's conversations by day, with search, in the sidebar or the phone's sheet. All groups are one list: a row
 * that moves to another one stays itself, and so does its menu, or the field with its title, while it is open.
 */
export function ConversationList({ initial }: { initial: Listing<ConversationRecord> }) {
  const { items, nextCursor, hidden } = useConversations(initial)
  const [typed, setTyped] = useState('')
  const query = typed.trim()
  const found = useSearch(query)
  const currentId = usePathname().match(/^\/chat\/[^/]+\/([^/]+)/)?.[1]
  const timeZone = useTimeZone()
  const known = new Map(items.map((item) => [item.id, item]))
  const listed = (found?.items.map((item) => known.get(item.id) ?? item) ?? items).filter(
    ({ id, archived }) => !hidden.has(id) && !archived,
  )
  if (items.length === 0 && query === '') {
    return <Note>Your conversations will be listed here.</Note>
  }
  return (
    <nav aria-label="Conversations" className="flex flex-col pt-1">
      {items.length >= searchableFrom || nextCursor !== null ? (
        <SearchBox value={typed} onChange={setTyped} />
      ) : null}
      <ul className="flex flex-col gap-px px-2 pb-3">
        {groupConversations(listed, Date.now(), timeZone).flatMap(({ label, items: group }) =>
          group.map((conversation, index) => (
            <ConversationRow
              key={conversation.id}
              heading={index === 0 ? label : undefined}
              conversation={conversation}
              isCurrent={conversation.id === currentId}
            />
          )),
        )}
      </ul>
      {found?.failure ? <Note>{found.failure.message}</Note> : null}
      {found && !found.failure && listed.length === 0 ? <Note>{`No title has “${query}”.`}</Note> : null}
      {query === '' && nextCursor !== null ? <LoadMore /> : null}
    </nav>
  )
}
