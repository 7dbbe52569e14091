'use client'

import { usePathname } from 'next/navigation'
import { useCallback, useEffect, useState } from 'react'
import type { ConversationView } from '@/lib/contracts/conversations'
import { asRequestError, type RequestError, request } from '../ui/request'
import { cutOpening, type OpeningView } from './opening'

/** Which conversation to show, under a key that changes exactly when another one is meant. */
export type OpenConversation =
  | { is: 'open'; key: string; view: OpeningView | null }
  | { is: 'loading' }
  | { is: 'failed'; failure: RequestError; retry: () => void }

/** A chat that began empty here: its round, and the conversation that its first message made. */
type Fresh = { round: number; createdId: string | null; seen: boolean }

type Loaded = { id: string; view?: OpeningView; failure?: RequestError }

/** Fetches a conversation that the address names and the page did not bring. */
function useLoaded(wantedId: string | null): [Loaded | undefined, () => void] {
  const [loaded, setLoaded] = useState<Loaded>()
  // A new object asks again.
  const [attempt, setAttempt] = useState({})
  useEffect(() => {
    if (wantedId === null || !attempt) return
    const controller = new AbortController()
    request<ConversationView>('GET', `/api/conversations/${wantedId}`, undefined, {
      signal: controller.signal,
    })
      .then((view) => setLoaded({ id: wantedId, view: cutOpening(view, Date.now()) }))
      .catch((error: unknown) => {
        if (!controller.signal.aborted) setLoaded({ id: wantedId, failure: asRequestError(error) })
      })
    return () => controller.abort()
  }, [wantedId, attempt])
  const retry = useCallback(() => {
    setLoaded(undefined)
    setAttempt({})
  }, [])
  return [loaded?.id === wantedId ? loaded : undefined, retry]
}

/**
 * The conversation that the address names. The first message of a new chat changes the address
 * without a visit to the server, so the page's own data may be older than the address.
 */
export function useOpenConversation(
  view: OpeningView | null,
): [OpenConversation, (createdId: string) => void] {
  const idInPath = usePathname().split('/')[3] || null
  const [fresh, setFresh] = useState<Fresh>({ round: 0, createdId: null, seen: false })
  const isCreatedHere = fresh.createdId !== null && idInPath === fresh.createdId
  if (isCreatedHere && !fresh.seen) setFresh({ ...fresh, seen: true })
  // Left for another chat: what is empty next is a new one.
  if (fresh.seen && !isCreatedHere) setFresh({ round: fresh.round + 1, createdId: null, seen: false })

  const isHere = idInPath === null || isCreatedHere || view?.conversation.id === idInPath
  const [loaded, retry] = useLoaded(isHere ? null : idInPath)
  const created = useCallback(
    (createdId: string) => setFresh((now) => ({ ...now, createdId, seen: false })),
    [],
  )

  if (idInPath === null || isCreatedHere)
    return [{ is: 'open', key: `new-${fresh.round}`, view: null }, created]
  if (view?.conversation.id === idInPath) return [{ is: 'open', key: idInPath, view }, created]
  if (loaded?.view) return [{ is: 'open', key: idInPath, view: loaded.view }, created]
  if (loaded?.failure) return [{ is: 'failed', failure: loaded.failure, retry }, created]
  return [{ is: 'loading' }, created]
}
