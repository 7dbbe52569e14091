'use client'

import { type Dispatch, type RefObject, useEffect } from 'react'
import type { ChatAction, ChatState } from './chat-state'
import { draftKey, readOutbox, takeFromOutbox } from './draft-store'
import { draftMessage, type OpeningView } from './opening'

// A page that comes back from the browser's cache, or from a long sleep, may have missed something.
const staleAfterMs = 10_000

/** Reads the conversation again whenever what is shown may be old or is only its end. */
export function useFreshness(refresh: () => Promise<void>, view: OpeningView | null): void {
  useEffect(() => {
    let hiddenAt = 0
    const again = (): void => void refresh().catch(() => {})
    const look = (): void => {
      if (document.visibilityState === 'hidden') hiddenAt = Date.now()
      else if (hiddenAt !== 0 && Date.now() - hiddenAt > staleAfterMs) again()
    }
    const restored = (event: PageTransitionEvent): void => {
      if (event.persisted) again()
    }
    if (view && (!view.complete || Math.abs(Date.now() - view.loadedAt) > staleAfterMs)) again()
    document.addEventListener('visibilitychange', look)
    addEventListener('pageshow', restored)
    addEventListener('online', again)
    return () => {
      document.removeEventListener('visibilitychange', look)
      removeEventListener('pageshow', restored)
      removeEventListener('online', again)
    }
  }, [refresh, view])
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
        const { id, parent_id, text, editOf } = entry
        dispatch({ type: 'send_begun', message: draftMessage({ id, parent_id, role: 'user', text }), editOf })
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
