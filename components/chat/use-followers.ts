'use client'

import { type Dispatch, useEffect, useRef } from 'react'
import { liveTab } from '../live/live-tab'
import type { ReplyFrame } from '../live/protocol'
import type { ChatAction, ChatState } from './chat-state'
import type { LiveText } from './live-text'

type Following = {
  running: ChatState['running']
  live: LiveText
  dispatch: Dispatch<ChatAction>
  /** Called when a reply is not there any more, although it has not been seen to end. */
  onGone: (messageId: string) => void
}

function show(messageId: string, frame: ReplyFrame, { live, dispatch }: Following): void {
  if (frame.type === 'text' || frame.type === 'reasoning') {
    live.append(messageId, frame.type, frame.data.text)
    return
  }
  const { message } = frame.data
  const isUnexplained = frame.type === 'failed' && !message.error
  dispatch({
    type: 'reply_ended',
    message: isUnexplained ? { ...message, error: frame.data.error } : message,
  })
}

function follow(messageId: string, replyId: string, following: Following): () => void {
  // The log is replayed from its first frame, so what was here before is dropped.
  following.live.clear(messageId)
  return liveTab.follow({
    replyId,
    after: -1,
    onFrames: (frames) => {
      for (const frame of frames) show(messageId, frame, following)
    },
    onGone: () => following.onGone(messageId),
  })
}

/** Follows every running reply of the conversation, for as long as the page shows it. */
export function useFollowers(following: Following): void {
  const stops = useRef(new Map<string, () => void>())
  const latest = useRef(following)
  latest.current = following
  const { running } = following

  useEffect(() => {
    const open = stops.current
    for (const [messageId, replyId] of Object.entries(running)) {
      if (!open.has(messageId)) open.set(messageId, follow(messageId, replyId, latest.current))
    }
    for (const [messageId, stop] of open) {
      if (running[messageId]) continue
      stop()
      open.delete(messageId)
    }
  }, [running])

  useEffect(() => {
    const open = stops.current
    return () => {
      for (const stop of open.values()) stop()
      open.clear()
    }
  }, [])
}
