'use client'

import { useSyncExternalStore } from 'react'
import { request } from '@/components/ui/request'
import type { Health, ProviderInfo } from '@/lib/contracts/health'

export type LiveHealth =
  | { state: 'unknown' }
  | { state: 'known'; health: Health; info: ProviderInfo | null }
  | { state: 'unreachable' }

const pollMs = 30_000
let current: LiveHealth = { state: 'unknown' }
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

async function poll(): Promise<void> {
  if (document.hidden) return
  try {
    const [health, info] = await Promise.all([
      request<Health>('GET', '/api/health'),
      request<ProviderInfo>('GET', '/api/openai/info').catch(() => null),
    ])
    current = { state: 'known', health, info }
  } catch {
    // 503 says that the database is out: the pages do not work then either.
    current = { state: 'unreachable' }
  }
  for (const notify of listeners) notify()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  if (listeners.size === 1) {
    void poll()
    timer = setInterval(poll, pollMs)
    document.addEventListener('visibilitychange', poll)
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    document.removeEventListener('visibilitychange', poll)
  }
}

const unknown: LiveHealth = { state: 'unknown' }

/** The server's health, asked every 30 s while the page is seen; one poll for however many dots show it. */
export function useHealth(): LiveHealth {
  return useSyncExternalStore(
    subscribe,
    () => current,
    () => unknown,
  )
}
