'use client'

import { useState } from 'react'
import type { Listing } from '@/lib/contracts/primitives'
import { asRequestError, type RequestError, request } from './request'

type State<T> = { first: Listing<T>; items: T[]; next: string | null; busy: boolean; failure?: RequestError }

const start = <T>(first: Listing<T>): State<T> => ({
  first,
  items: first.items,
  next: first.next_cursor,
  busy: false,
})

/**
 * A list whose first page came with the page; `loadMore` fetches the next from `url`. A refresh of the page
 * (a new `first`) begins it anew.
 */
export function useListing<T>(first: Listing<T>, url: string) {
  const [state, setState] = useState(() => start(first))
  if (state.first !== first) setState(start(first))

  async function loadMore() {
    if (!state.next || state.busy) return
    setState((now) => ({ ...now, busy: true, failure: undefined }))
    try {
      const more = await request<Listing<T>>('GET', `${url}?cursor=${encodeURIComponent(state.next)}`)
      setState((now) => ({
        ...now,
        items: [...now.items, ...more.items],
        next: more.next_cursor,
        busy: false,
      }))
    } catch (error) {
      setState((now) => ({ ...now, busy: false, failure: asRequestError(error) }))
    }
  }

  return {
    items: state.items,
    hasMore: state.next !== null,
    busy: state.busy,
    failure: state.failure,
    loadMore,
  }
}
