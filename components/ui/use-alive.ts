'use client'

import { useSyncExternalStore } from 'react'

const never = () => () => undefined

/** Whether this part of the page hears its reader: false in what the server drew, until its code has come. */
export function useAlive(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  )
}
