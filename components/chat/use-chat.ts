'use client'

import { useCallback, useReducer, useRef, useState } from 'react'
import type { ConversationRecord, ConversationView } from '@/lib/contracts/conversations'
import { request } from '../ui/request'
import { type ChatDeeds, createChatDeeds, shownReply } from './chat-deeds'
import { type ChatState, chatReducer, openChat } from './chat-state'
import { mergeIntoList } from './conversation-store'
import { createLiveText, type LiveText } from './live-text'
import type { OpeningView } from './opening'
import { useFollowers } from './use-followers'
import { useFreshness, useUnsent } from './use-recovery'

type ChatSetup = {
  agentId: string
  view: OpeningView | null
  /** Called once, when the first message has made the conversation. */
  onCreated: (conversation: ConversationRecord) => void
}

export type Chat = {
  state: ChatState
  live: LiveText
  deeds: ChatDeeds
  stopping: boolean
  signedOut: boolean
}

function openSetup({ view }: ChatSetup): ChatState {
  return openChat({
    conversationId: view?.conversation.id ?? null,
    messages: view?.messages ?? [],
    leafId: view?.conversation.current_message_id ?? null,
    runningReplyId: view?.running_reply_id ?? null,
  })
}

// More often than this nobody reads; every second frame is left to scrolling and typing.
const paintEveryMs = 30

/** Runs a task right before a paint, at most every 30 ms. */
function beforePaint(): (task: () => void) => void {
  let last = 0
  return (task) => {
    const run = (now: number): void => {
      if (now - last < paintEveryMs) {
        requestAnimationFrame(run)
        return
      }
      last = now
      task()
    }
    requestAnimationFrame(run)
  }
}

/** An open conversation: its state, its running text, and what can be done with it. */
export function useChat(setup: ChatSetup): Chat {
  const [state, dispatch] = useReducer(chatReducer, setup, openSetup)
  const [live] = useState(() => createLiveText(beforePaint()))
  const [signedOut, setSignedOut] = useState(false)
  const [stoppingId, setStoppingId] = useState<string>()
  const now = useRef({ state, setup })
  now.current = { state, setup }

  const [deeds] = useState(() =>
    createChatDeeds(
      {
        agentId: setup.agentId,
        dispatch,
        read: () => now.current.state,
        onCreated: (conversation) => now.current.setup.onCreated(conversation),
        onStopping: setStoppingId,
      },
      state.conversationId,
    ),
  )

  const refresh = useCallback(async () => {
    const { conversationId } = now.current.state
    if (conversationId === null) return
    const view = await request<ConversationView>('GET', `/api/conversations/${conversationId}`)
    dispatch({ type: 'view_loaded', messages: view.messages, runningReplyId: view.running_reply_id })
    mergeIntoList([view.conversation])
  }, [])

  useFollowers({
    running: state.running,
    live,
    dispatch,
    onLost: (messageId, end) => {
      if (end === 'signed_out') return setSignedOut(true)
      const settle = (): void => {
        const message = now.current.state.tree.byId.get(messageId)
        if (message?.status !== 'running') return
        dispatch({ type: 'reply_ended', message: { ...message, status: 'interrupted' } })
      }
      refresh().then(settle, settle)
    },
  })
  useFreshness(refresh, setup.view)
  useUnsent(now, refresh, dispatch)

  const stopping = stoppingId !== undefined && shownReply(state) === stoppingId
  return { state, live, deeds, stopping, signedOut }
}
