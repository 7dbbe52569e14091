'use client'

import { type Dispatch, useEffect, useRef } from 'react'
import type { ChatAction, ChatState, RunningReply } from './chat-state'
import { type FollowEnd, followReply } from './follow-reply'
import type { LiveText } from './live-text'

type Following = {
  running: ChatState['running']
  live: LiveText
  dispatch: Dispatch<ChatAction>
  /** Called when following stopped although the reply has not been seen to end. */
  onLost: (messageId: string, end: Exclude<FollowEnd, 'ended' | 'aborted'>) => void
}

function follow(messageId: string, reply: RunningReply, signal: AbortSignal, following: Following): void {
  const { live, dispatch, onLost } = following
  // The log is replayed from its first frame, so what was here before is dropped.
  live.clear(messageId)
  void followReply({
    eventsUrl: reply.eventsUrl,
    after: -1,
    signal,
    onFrame: (frame) => {
      if (frame.type === 'text' || frame.type === 'reasoning') live.append(messageId, frame.type, frame.text)
      if (frame.type === 'ended') {
        const { message, error } = frame
        dispatch({ type: 'reply_ended', message: error && !message.error ? { ...message, error } : message })
      }
    },
    onLink: (connected) => dispatch({ type: 'reply_link', messageId, connected }),
  }).then((end) => {
    if (end === 'gone' || end === 'signed_out') onLost(messageId, end)
  })
}

/** Follows every running reply of the conversation, for as long as the page shows it. */
export function useFollowers(following: Following): void {
  const followers = useRef(new Map<string, AbortController>())
  const latest = useRef(following)
  latest.current = following
  const { running } = following

  useEffect(() => {
    const open = followers.current
    for (const [messageId, reply] of Object.entries(running)) {
      if (open.has(messageId)) continue
      const controller = new AbortController()
      open.set(messageId, controller)
      follow(messageId, reply, controller.signal, latest.current)
    }
    for (const [messageId, controller] of open) {
      if (running[messageId]) continue
      controller.abort()
      open.delete(messageId)
    }
  }, [running])

  useEffect(() => {
    const open = followers.current
    return () => {
      for (const controller of open.values()) controller.abort()
      open.clear()
    }
  }, [])
}
