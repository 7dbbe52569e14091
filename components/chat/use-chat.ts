'use client'

import { useCallback, useReducer, useRef, useState } from 'react'
import type { ConversationRecord, ConversationView, MessageStatus } from '@/lib/contracts/conversations'
import type { LinkState } from '../live/protocol'
import { useLink } from '../live/use-live'
import { RequestError, request } from '../ui/request'
import { type ChatDeeds, createChatDeeds, shownReply } from './chat-deeds'
import { type ChatState, chatReducer, openChat } from './chat-state'
import {
  forgetConversation,
  mergeIntoList,
  useIsForgotten,
  useListedConversation,
} from './conversation-store'
import { createLiveText, type LiveText, whatArrived } from './live-text'
import type { OpeningView } from './opening'
import { useFollowers } from './use-followers'
import { useFreshness, useNews, useUnsent } from './use-recovery'

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
  link: LinkState
  /** What the list knows of the conversation. */
  record: ConversationRecord | undefined
  /** Deleted, here or elsewhere. */
  isGone: boolean
}

function openSetup({ view }: ChatSetup): ChatState {
  return openChat({
    conversationId: view?.conversation.id ?? null,
    messages: view?.messages ?? [],
    leafId: view?.conversation.current_message_id ?? null,
    runningReplyId: view?.running_reply_id ?? null,
  })
}

function isNotThere(error: unknown): boolean {
  return error instanceof RequestError && error.status === 404
}

async function readView(conversationId: string): Promise<ConversationView> {
  try {
    return await request<ConversationView>('GET', `/api/conversations/${conversationId}`)
  } catch (error) {
    if (isNotThere(error)) forgetConversation(conversationId)
    throw error
  }
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
    const { conversation, messages, running_reply_id: runningReplyId } = await readView(conversationId)
    const currentId = conversation.current_message_id
    dispatch({ type: 'view_loaded', messages, currentId, runningReplyId })
    mergeIntoList([conversation])
  }, [])

  useFollowers({
    running: state.running,
    live,
    dispatch,
    onGone: (messageId) => {
      const settle = (status: MessageStatus): void => {
        const message = now.current.state.tree.byId.get(messageId)
        if (message?.status !== 'running') return
        dispatch({ type: 'reply_ended', message: { ...message, ...whatArrived(live, messageId), status } })
      }
      refresh().then(
        () => settle('interrupted'),
        (error: unknown) => settle(isNotThere(error) ? 'stopped' : 'interrupted'),
      )
    },
  })
  const record = useListedConversation(state.conversationId)
  useFreshness(refresh, setup.view)
  useNews(state, record, refresh)
  useUnsent(now, refresh, dispatch)

  const stopping = stoppingId !== undefined && shownReply(state) === stoppingId
  const link = useLink()
  const isGone = useIsForgotten(state.conversationId)
  return { state, live, deeds, stopping, link, record, isGone }
}
