'use client'

import { useEffect, useMemo, useSyncExternalStore } from 'react'
import type { ConversationRecord } from '@/lib/contracts/conversations'
import type { Listing } from '@/lib/contracts/primitives'
import { request } from '../ui/request'
import { mergeConversations, reconcileConversations } from './conversation-groups'

/** The conversations that this page knows of; `nextCursor` is null when it knows all. */
export type KnownConversations = {
  items: readonly ConversationRecord[]
  nextCursor: string | null
  /** Hidden while their deletion can still be taken back. */
  hidden: ReadonlySet<string>
  /** Deleted, here or elsewhere; an older answer of the server does not bring them back. */
  forgotten: ReadonlySet<string>
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
    forgotten: new Set(),
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

/** The newest conversations as they are now; `initial` until the list is shown. */
export function useNewest(
  initial: readonly ConversationRecord[],
  count: number,
): readonly ConversationRecord[] {
  const current = useSyncExternalStore(
    subscribe,
    () => known,
    () => undefined,
  )
  return useMemo(() => (current ? listNewest(current, count) : initial), [current, initial, count])
}

function listNewest({ items, hidden }: KnownConversations, count: number): ConversationRecord[] {
  const shown = items.filter(({ id, archived }) => !archived && !hidden.has(id))
  return shown.sort((a, b) => (a.last_activity_at < b.last_activity_at ? 1 : -1)).slice(0, count)
}

/** What the list knows of one conversation, such as the title that the server gave it. */
export function useListedConversation(conversationId: string | null): ConversationRecord | undefined {
  const read = (): ConversationRecord | undefined => known?.items.find(({ id }) => id === conversationId)
  return useSyncExternalStore(subscribe, read, () => undefined)
}

/** Whether the conversation was deleted, here or elsewhere. */
export function useIsForgotten(conversationId: string | null): boolean {
  const read = (): boolean => conversationId !== null && known?.forgotten.has(conversationId) === true
  return useSyncExternalStore(subscribe, read, () => false)
}

// What was told while the list is read again is newer than what is read.
let toldMeanwhile: Set<string> | undefined

/** Adds conversations or replaces what is known of them. Does nothing where no list is shown. */
export function mergeIntoList(items: readonly ConversationRecord[]): void {
  if (!known) return
  const { forgotten } = known
  const news = items.filter(({ id }) => !forgotten.has(id))
  for (const { id } of news) toldMeanwhile?.add(id)
  publish({ ...known, items: mergeConversations(known.items, news) })
}

/** Takes a conversation out of the list for good. */
export function forgetConversation(conversationId: string): void {
  if (!known) return
  const items = known.items.filter(({ id }) => id !== conversationId)
  publish({ ...known, items, forgotten: new Set([...known.forgotten, conversationId]) })
}

/** Hides a conversation that is about to be deleted, or shows it again. */
export function hideInList(conversationId: string, hide: boolean): void {
  if (!known) return
  const hidden = new Set(known.hidden)
  if (hide) hidden.add(conversationId)
  else hidden.delete(conversationId)
  publish({ ...known, hidden })
}

/** Reads the part of the list that is loaded again; what is not in it any more goes. Throws RequestError. */
export async function reloadList(): Promise<void> {
  if (!known) return
  const told = new Set<string>()
  toldMeanwhile = told
  const fresh = await readAsFarAs(known)
  // Asked again meanwhile, or nobody looks any more.
  if (toldMeanwhile !== told || !known) return
  toldMeanwhile = undefined
  const { items, forgotten } = known
  const newer = new Set([...told, ...forgotten])
  publish({
    ...known,
    items: reconcileConversations(items, fresh.items, newer),
    nextCursor: fresh.nextCursor,
  })
}

/** After every time there is. */
const latest = '~'

type Part = Pick<KnownConversations, 'nextCursor'> & { items: ConversationRecord[] }

/** All conversations down to the oldest that is known. */
async function readAsFarAs({ items }: KnownConversations): Promise<Part> {
  const times = items.filter(({ archived }) => !archived).map((item) => item.last_activity_at)
  const oldest = times.sort()[0] ?? latest
  const limit = Math.min(100, Math.max(20, items.length))
  const read: ConversationRecord[] = []
  for (let cursor = ''; ; ) {
    const page = await request<Listing<ConversationRecord>>(
      'GET',
      `/api/conversations?limit=${limit}${cursor}`,
    )
    read.push(...page.items)
    const last = read.at(-1)
    if (page.next_cursor === null || !last || last.last_activity_at <= oldest)
      return { items: read, nextCursor: page.next_cursor }
    cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`
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
