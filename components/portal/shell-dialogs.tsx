'use client'

import dynamic from 'next/dynamic'
import { useRouter } from 'next/navigation'
import { useEffect, useEffectEvent, useRef, useState } from 'react'
import type { LaunchableAgent } from '@/lib/contracts/projects'
import { takeEarly } from './early-keys'
import { type Asked, pressKey, type ShellDialog } from './shell-keys'

// Neither is part of a page's first load.
const loadPalette = () => import('./command-palette')
const CommandPalette = dynamic(() => loadPalette().then((module) => module.CommandPalette))
const ShortcutList = dynamic(() => import('./shortcut-list').then((module) => module.ShortcutList))

/** How long after a page's start the palette is fetched, out of the way of everything else. */
const preloadMs = 1000

type ShellKeys = {
  dialog: ShellDialog | null
  /** What was typed for the palette before it had the focus. */
  typed: string
  openDialog: (dialog: ShellDialog | null) => void
}

type ShellDialogsProps = ShellKeys & {
  agents: LaunchableAgent[]
  isAdmin: boolean
}

/** The windows that every page has: the command palette and the list of shortcuts. */
export function ShellDialogs({ dialog, typed, openDialog, agents, isAdmin }: ShellDialogsProps) {
  const onOpenChange = (open: boolean) => {
    if (!open) openDialog(null)
  }
  // Mounted from the first opening on, so that closing can be seen.
  const [seen, setSeen] = useState<ShellDialog[]>([])
  if (dialog && !seen.includes(dialog)) setSeen([...seen, dialog])
  return (
    <>
      {seen.includes('palette') ? (
        <CommandPalette
          open={dialog === 'palette'}
          typed={typed}
          onOpenChange={onOpenChange}
          openShortcuts={() => openDialog('shortcuts')}
          agents={agents}
          isAdmin={isAdmin}
        />
      ) : null}
      {seen.includes('shortcuts') ? (
        <ShortcutList open={dialog === 'shortcuts'} onOpenChange={onOpenChange} />
      ) : null}
    </>
  )
}

/** The window that is open, and its setter; listens to ⌘K, ⌘⇧O and `?` on every page. */
export function useShellKeys(): ShellKeys {
  const router = useRouter()
  const [asked, setAsked] = useState<Asked>({ what: null, typed: '' })
  // The next key may come before this one is drawn.
  const latest = useRef(asked)
  useEffect(() => {
    // Who presses ⌘K goes on typing at once; by then the palette should be there. If the network is away just now, it
    // is fetched when it is opened.
    const timer = setTimeout(() => loadPalette().catch(() => {}), preloadMs)
    return () => clearTimeout(timer)
  }, [])
  const ask = (next: Asked) => {
    latest.current = next
    setAsked(next)
  }
  const openDialog = (what: ShellDialog | null) => ask({ what, typed: '' })
  const answer = useEffectEvent((next: Asked | null) => {
    if (next?.what === 'new-chat') {
      openDialog(null)
      router.push('/chat')
    } else if (next) ask(next)
  })
  useEffect(() => {
    answer(takeEarly())
    const listen = (event: KeyboardEvent) => answer(pressKey(latest.current, event))
    // Before all others: what is typed for the palette is for nobody else.
    window.addEventListener('keydown', listen, true)
    return () => window.removeEventListener('keydown', listen, true)
  }, [])
  return { dialog: asked.what === 'new-chat' ? null : asked.what, typed: asked.typed, openDialog }
}
