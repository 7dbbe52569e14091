'use client'

import dynamic from 'next/dynamic'
import { useRouter } from 'next/navigation'
import { useEffect, useState } from 'react'
import type { LaunchableAgent } from '@/lib/contracts/projects'

export type ShellDialog = 'palette' | 'shortcuts'

// Neither is part of a page's first load.
const loadPalette = () => import('./command-palette')
const CommandPalette = dynamic(() => loadPalette().then((module) => module.CommandPalette))
const ShortcutList = dynamic(() => import('./shortcut-list').then((module) => module.ShortcutList))

/** How long after a page's start the palette is fetched, out of the way of everything else. */
const preloadMs = 1000

type ShellDialogsProps = {
  dialog: ShellDialog | null
  openDialog: (dialog: ShellDialog | null) => void
  agents: LaunchableAgent[]
  isAdmin: boolean
}

/** The windows that every page has: the command palette and the list of shortcuts. */
export function ShellDialogs({ dialog, openDialog, agents, isAdmin }: ShellDialogsProps) {
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
export function useShellKeys(): [ShellDialog | null, (dialog: ShellDialog | null) => void] {
  const router = useRouter()
  const [dialog, openDialog] = useState<ShellDialog | null>(null)
  useEffect(() => {
    // Who presses ⌘K goes on typing at once; by then the palette should be there. If the network is away just now, it
    // is fetched when it is opened.
    const timer = setTimeout(() => loadPalette().catch(() => {}), preloadMs)
    return () => clearTimeout(timer)
  }, [])
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return
      const wanted = readShortcut(event)
      if (!wanted) return
      event.preventDefault()
      if (wanted === 'new-chat') router.push('/chat')
      else openDialog((current) => (current === wanted ? null : wanted))
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [router])
  return [dialog, openDialog]
}

function readShortcut(event: KeyboardEvent): ShellDialog | 'new-chat' | null {
  const withCommand = (event.metaKey || event.ctrlKey) && !event.altKey
  const key = event.key.toLowerCase()
  if (withCommand && !event.shiftKey && key === 'k') return 'palette'
  if (withCommand && event.shiftKey && key === 'o') return 'new-chat'
  if (event.key === '?' && !event.metaKey && !event.ctrlKey && !isTyping(event.target)) return 'shortcuts'
  return null
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  )
}
