'use client'

import { useSyncExternalStore } from 'react'

export type Theme = 'system' | 'light' | 'dark'

/*
 * What the reader chose for this browser lives in a cookie, so that the server can draw it, and on <html>,
 * where CSS sees it.
 */
const listeners = new Set<() => void>()
const oneYearSeconds = 31_536_000

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function choose(key: 'theme' | 'sidebar', value: string | null): void {
  if (value === null) delete document.documentElement.dataset[key]
  else document.documentElement.dataset[key] = value
  const maxAgeSeconds = value === null ? 0 : oneYearSeconds
  // The cookie store does not exist over plain http on a local network, where AL-Chat must work too.
  Reflect.set(document, 'cookie', `${key}=${value ?? ''}; Path=/; SameSite=Lax; Max-Age=${maxAgeSeconds}`)
  for (const listener of listeners) listener()
}

const readTheme = (): Theme => {
  const { theme } = document.documentElement.dataset
  return theme === 'light' || theme === 'dark' ? theme : 'system'
}

/** The chosen theme and its setter; the server draws `system`. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const theme = useSyncExternalStore(subscribe, readTheme, () => 'system' as const)
  return [theme, (next) => choose('theme', next === 'system' ? null : next)]
}

/** Whether the sidebar is folded to a rail, and its setter. */
export function useFoldedSidebar(): [boolean, (folded: boolean) => void] {
  const read = () => document.documentElement.dataset.sidebar === 'folded'
  const folded = useSyncExternalStore(subscribe, read, () => false)
  return [folded, (next) => choose('sidebar', next ? 'folded' : null)]
}

const never = () => () => {}

/** `⌘` on Apple's keyboards, `Ctrl` on others. */
export function useModifierKey(): string {
  return useSyncExternalStore(
    never,
    () => (/Mac|iPhone|iPad/.test(navigator.platform) ? '⌘' : 'Ctrl'),
    () => 'Ctrl',
  )
}
