'use client'

import { useEffect } from 'react'
import { liveTab } from '../live/live-tab'
import type { News } from '../live/protocol'
import { useFeed } from '../live/use-live'
import { asRequestError } from '../ui/request'
import { forgetConversation, mergeIntoList, reloadList } from './conversation-store'

/** Before the list is asked for again that could not be read, in milliseconds. */
const reloadAgainMs = 2000

function take(news: News[]): void {
  for (const { type, data } of news) {
    if (type === 'conversation') mergeIntoList([data])
    else forgetConversation(data.id)
  }
}

let again: ReturnType<typeof setTimeout> | undefined

function reload(): void {
  clearTimeout(again)
  reloadList().catch((error: unknown) => {
    const { status } = asRequestError(error)
    if (liveTab.link === 'up' && (status === 0 || status >= 500)) again = setTimeout(reload, reloadAgainMs)
  })
}

/** Keeps the list of conversations as it is on the server, and this tab in touch with it. Draws nothing. */
export function ConversationFeed({ userId }: { userId: string }) {
  useEffect(() => liveTab.connect(userId), [userId])
  useFeed({
    onNews: take,
    onHello: reload,
  })
  return null
}
