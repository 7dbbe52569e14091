'use client'

import { type RefObject, useEffect, useEffectEvent, useState } from 'react'
import { asRequestError, type RequestError, request } from '@/components/ui/request'
import type { TrafficEntry } from '@/lib/contracts/keys'
import type { Listing } from '@/lib/contracts/primitives'

type Page = Listing<TrafficEntry>

/** How often it is looked for new calls while the page is in sight. */
const everyMs = 4000

/** So many calls come at a time. */
const pageSize = 10

export type Traffic = {
  items: TrafficEntry[]
  next: string | null
  /** Whether more than the newest were asked for. */
  isLong: boolean
  /** What is new, while the reader is at what is there. */
  held: Page | null
}

/** The traffic as it is first shown. */
export function beginTraffic({ items, next_cursor }: Page): Traffic {
  return { items, next: next_cursor, isLong: false, held: null }
}

/** How many calls of the page are not shown yet. */
export function countNew(traffic: Pick<Traffic, 'items'>, page: Page): number {
  return findNew(traffic, page).length
}

/** A slow call ends after faster ones that began later, and comes in below them: what is new is not all on top. */
function findNew({ items }: Pick<Traffic, 'items'>, page: Page): TrafficEntry[] {
  const shown = new Set(items.map(({ id }) => id))
  return page.items.filter(({ id }) => !shown.has(id))
}

/** With the newest calls on top. Where some in between were missed, or the list is short, it is the page's own. */
export function takeNews(traffic: Traffic, page: Page): Traffic {
  const fresh = findNew(traffic, page)
  const isWhole = fresh.length < page.items.length || traffic.items.length === 0
  if (!traffic.isLong || !isWhole) return beginTraffic(page)
  const items = [...fresh, ...traffic.items].sort((a, b) => (a.id < b.id ? 1 : -1))
  return { ...traffic, items, held: null }
}

/**
 * The calls of a key, kept up to date while they are in sight. While the reader points at or is within `place`, what is
 * new is held back until `show` is called or they have left, so that nothing moves under their eyes. `onNews` hears of
 * every look that found something.
 */
export function useTraffic(
  first: Page,
  url: string,
  { place, onNews }: { place: RefObject<HTMLElement | null>; onNews: () => void },
) {
  const [traffic, setTraffic] = useState(() => beginTraffic(first))
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<RequestError>()
  const [lost, setLost] = useState<RequestError>()

  const hear = useEffectEvent((page: Page) => {
    setLost(undefined)
    if (countNew(traffic, page) === 0) return
    if (countNew(traffic.held ?? traffic, page) > 0) onNews()
    const isRead = place.current?.matches(':hover, :focus-within') ?? false
    setTraffic((now) => (isRead ? { ...now, held: page } : takeNews(now, page)))
  })
  useEffect(() => watch(url, { hear, lose: setLost }), [url])

  async function loadMore() {
    if (!traffic.next || busy) return
    setBusy(true)
    setFailure(undefined)
    try {
      const more = await readPage(url, { cursor: traffic.next })
      setTraffic((now) => ({
        ...now,
        items: [...now.items, ...more.items],
        next: more.next_cursor,
        isLong: true,
      }))
    } catch (error) {
      setFailure(asRequestError(error))
    } finally {
      setBusy(false)
    }
  }

  return {
    items: traffic.items,
    /** How many new calls wait to be shown. */
    held: traffic.held ? countNew(traffic, traffic.held) : 0,
    show: () => setTraffic((now) => (now.held ? takeNews(now, now.held) : now)),
    /** Why it is not up to date. */
    lost,
    more: { hasMore: traffic.next !== null, busy, failure, loadMore },
  }
}

function readPage(url: string, { cursor, signal }: { cursor?: string; signal?: AbortSignal }): Promise<Page> {
  const query = new URLSearchParams({ limit: String(pageSize), ...(cursor && { cursor }) })
  return request<Page>('GET', `${url}?${query}`, undefined, { signal })
}

type Watcher = { hear: (page: Page) => void; lose: (error: RequestError) => void }

/** Looks again and again while the page is in sight; returns how to stop. */
function watch(url: string, { hear, lose }: Watcher): () => void {
  const gone = new AbortController()
  let timer: ReturnType<typeof setTimeout>
  const look = async () => {
    try {
      if (!document.hidden) hear(await readPage(url, { signal: gone.signal }))
    } catch (error) {
      if (!gone.signal.aborted) lose(asRequestError(error))
    }
    if (!gone.signal.aborted) timer = setTimeout(look, everyMs)
  }
  timer = setTimeout(look, everyMs)
  return () => {
    gone.abort()
    clearTimeout(timer)
  }
}
