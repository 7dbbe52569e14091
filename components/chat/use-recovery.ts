'use client'

import { type Dispatch, type RefObject, useEffect, useRef } from 'react'
import type { ConversationRecord } from '@/lib/contracts/conversations'
import { useFeed } from '../live/use-live'
import { type ChatAction, type ChatState, isBehind } from './chat-state'
import { draftKey, readOutbox, takeFromOutbox } from './draft-store'
import { draftMessage, type OpeningView } from './opening'

// What the server drew longer ago than this may be old: the browser keeps pages for the way back.
const staleAfterMs = 10_000

/** Reads the conversation again when the page began with an old one, or only with its end. */
export function useFreshness(refresh: () => Promise<void>, view: OpeningView | null): void {
  useEffect(() => {
    const isStale = view && Math.abs(Date.now() - view.loadedAt) > staleAfterMs
    if (view && (!view.complete || isStale)) refresh().catch(() => {})
  }, [refresh, view])
}

/** Reads the conversation again when something was added to it elsewhere, or may have been while nobody listened. */
export function useNews(
  state: ChatState,
  record: ConversationRecord | undefined,
  refresh: () => Promise<void>,
): void {
  const now = useRef(state)
  now.current = state
  const isSending = Object.values(state.sends).some(({ state: sending }) => sending === 'sending')
  useEffect(() => {
    if (record && !isSending && isBehind(now.current, record)) refresh().catch(() => {})
  }, [record, isSending, refresh])
  useFeed({
    onNews: () => {},
    onHello: (isFirst) => {
      // The list is read again too, and what it says of the conversation is enough the first time.
      if (!isFirst || !record) refresh().catch(() => {})
    },
  })
}

type Now = RefObject<{ state: ChatState; setup: { agentId: string } }>

/** Shows messages again that were sent, but not confirmed, when the page was left. */
export function useUnsent(now: Now, refresh: () => Promise<void>, dispatch: Dispatch<ChatAction>): void {
  useEffect(() => {
    const { state, setup } = now.current
    const key = draftKey(setup.agentId, state.conversationId)
    const entries = readOutbox(key)
    if (entries.length === 0) return
    let left = false
    const show = (): void => {
      if (left) return
      for (const entry of entries) {
        const { tree, sends } = now.current.state
        if (tree.byId.has(entry.id)) {
          if (!sends[entry.id]) takeFromOutbox(key, entry.id)
          continue
        }
        const { id, parent_id, text, files, editOf } = entry
        const unsent = draftMessage({ id, parent_id, role: 'user', text }, files)
        dispatch({ type: 'send_begun', message: unsent, editOf })
        const message = 'The page was closed before this message was sent. Your text is kept here.'
        dispatch({ type: 'send_failed', messageId: id, problem: { message, remedy: 'retry' } })
      }
    }
    // It may have arrived although the page never heard so.
    refresh().then(show, show)
    return () => {
      left = true
    }
  }, [now, refresh, dispatch])
}
