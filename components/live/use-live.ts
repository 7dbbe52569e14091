'use client'

import { useEffect, useRef, useSyncExternalStore } from 'react'
import { type FeedListener, liveTab } from './live-tab'
import type { LinkState } from './protocol'

/** How the connection to the server stands. */
export function useLink(): LinkState {
  return useSyncExternalStore(
    liveTab.subscribeToLink,
    () => liveTab.link,
    () => 'up',
  )
}

/** Hears news of the user's conversations for as long as the component is there. */
export function useFeed(listener: FeedListener): void {
  const latest = useRef(listener)
  latest.current = listener
  useEffect(
    () =>
      liveTab.listen({
        onNews: (news) => latest.current.onNews(news),
        onHello: (isFirst) => latest.current.onHello(isFirst),
      }),
    [],
  )
}
