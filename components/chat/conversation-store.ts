'use client'

import { useEffect, useSyncExternalStore } from 'react'
import type { ConversationRecord } from '@/lib/contracts/conversations'
import type { Listing } from '@/lib/contracts/primitives'
import { request } from '../ui/request'
import { mergeConversations } from './conversation-groups'

/** The conversations that this page knows of; `nextCursor` is null when it knows all. */
export type KnownConversations = {
  items: readonly ConversationRecord[]
  nextCursor: string | null
  /** Hidden while their deletion can still be taken back. */
  hidden: ReadonlySet<string>
}

// One list for the sidebar, the phone's sheet and the chat. It lives in the browser only, as long as a list is shown.
let known: KnownConversations | undefined
const listeners = new Set<() => void>()

function publish(next: KnownConversations): void {
  known = next
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    // The next reader of this browser may be someone else.
    if (listeners.size === 0) known = undefined
  }
}

const firstOf = new WeakMap<Listing<ConversationRecord>, KnownConversations>()

function asKnown(listing: Listing<ConversationRecord>): KnownConversations {
  const first = firstOf.get(listing) ?? {
    items: listing.items,
    nextCursor: listing.next_cursor,
    hidden: new Set(),
  }
  firstOf.set(listing, first)
  return first
}

/** The list, beginning with what the server drew. */
export function useConversations(initial: Listing<ConversationRecord>): KnownConversations {
  const read = (): KnownConversations => {
    known ??= asKnown(initial)
    return known
  }
  const current = useSyncExternalStore(subscribe, read, () => asKnown(initial))
  useEffect(() => {
    if (known && known.items !== initial.items) mergeIntoList(initial.items)
  }, [initial])
  return current
}

/** What the list knows of one conversation, such as the title that the server gave it. */
export function useListedConversation(conversationId: string | null): ConversationRecord | undefined {
  const read = (): ConversationRecord | undefined => known?.items.find(({ id }) => id === conversationId)
  return useSyncExternalStore(subscribe, read, () => undefined)
}

/** Adds conversations or replaces what is known of them. Does nothing where no list is shown. */
export function mergeIntoList(items: readonly ConversationRecord[]): void {
  if (known) publish({ ...known, items: mergeConversations(known.items, items) })
}

/** Takes a conversation out of the list for good. */
export function dropFromList(conversationId: string): void {
  if (known) publish({ ...known, items: known.items.filter(({ id }) => id !== conversationId) })
}

/** Hides a conversation that is about to be deleted, or shows it again. */
export function hideInList(conversationId: string, hide: boolean): void {
  if (!known) return
  const hidden = new Set(known.hidden)
  if (hide) hidden.add(conversationId)
  else hidden.delete(conversationId)
  publish({ ...known, hidden })
}

/** Asks the server for what is newest: titles that it made, answers that began or ended elsewhere. */
export async function refreshList(): Promise<void> {
  if (!known) return
  try {
    const { items } = await request<Listing<ConversationRecord>>('GET', '/api/conversations?limit=30')
    mergeIntoList(items.filter(({ archived }) => !archived))
  } catch {
    // The list is as it was; the next change asks again.
  }
}

/** Fetches the next page of older conversations. Throws RequestError. */
export async function loadMoreConversations(): Promise<void> {
  if (!known?.nextCursor) return
  const address = `/api/conversations?limit=50&cursor=${encodeURIComponent(known.nextCursor)}`
  const page = await request<Listing<ConversationRecord>>('GET', address)
  if (known)
    publish({ ...known, items: mergeConversations(known.items, page.items), nextCursor: page.next_cursor })
}
