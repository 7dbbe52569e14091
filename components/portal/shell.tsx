'use client'

import { Menu as MenuIcon, SquarePen } from 'lucide-react'
import Link from 'next/link'
import { usePathname } from 'next/navigation'
import { type ReactNode, useState } from 'react'
import { IconButton, iconButtonClasses } from '@/components/ui/button'
import { Sheet } from '@/components/ui/dialog'
import { Toaster } from '@/components/ui/toast'
import type { UserRecord } from '@/lib/contracts/accounts'
import type { LaunchableAgent } from '@/lib/contracts/projects'
import { EarlyKeys } from './early-keys'
import { ShellDialogs, useShellKeys } from './shell-dialogs'
import { Sidebar } from './sidebar'
import { Mark } from './wordmark'

type ShellProps = {
  user: Pick<UserRecord, 'email' | 'name' | 'role'>
  /** What the command palette can launch. */
  agents: LaunchableAgent[]
  /** The list of conversations, drawn in the sidebar and in the phone's sheet. */
  conversations: ReactNode
  children: ReactNode
}

/** The frame around every page of the portal: sidebar or sheet, the page, and the windows over it. */
export function Shell({ user, agents, conversations, children }: ShellProps) {
  const keys = useShellKeys()
  // The sheet belongs to the page that it was opened on, so going to another page closes it.
  const pathname = usePathname()
  const [sheetOn, setSheetOn] = useState<string | null>(null)
  const sidebar = (inSheet: boolean) => (
    <Sidebar user={user} conversations={conversations} openDialog={keys.openDialog} inSheet={inSheet} />
  )
  return (
    <>
      <EarlyKeys />
      <a
        href="#main"
        className="fixed top-2 left-2 z-50 -translate-y-16 rounded-control bg-raised px-3 py-2 text-ui focus-visible:translate-y-0 focus-visible:shadow-float"
      >
        Skip to the page
      </a>
      <div className="isolate flex h-dvh overflow-hidden">
        <aside
          aria-label="Sidebar"
          className="hidden w-sidebar shrink-0 folded:w-14 flex-col border-r bg-surface transition-[width] md:flex"
        >
          {sidebar(false)}
        </aside>
        <div className="flex min-w-0 flex-1 flex-col">
          <PhoneBar openSidebar={() => setSheetOn(pathname)} />
          {/* `relative`: what is hidden from the eye alone would else make the window scroll, into nothing. */}
          <main id="main" tabIndex={-1} className="relative min-h-0 flex-1 overflow-y-auto outline-none">
            {children}
          </main>
        </div>
      </div>
      <Sheet open={sheetOn === pathname} onOpenChange={() => setSheetOn(null)} label="Sidebar">
        {sidebar(true)}
      </Sheet>
      <ShellDialogs {...keys} agents={agents} isAdmin={user.role === 'admin'} />
      <Toaster />
    </>
  )
}

function PhoneBar({ openSidebar }: { openSidebar: () => void }) {
  return (
    <header className="flex h-12 shrink-0 items-center justify-between border-b px-1 md:hidden">
      <IconButton label="Open the sidebar" onClick={openSidebar}>
        <MenuIcon size={20} aria-hidden />
      </IconButton>
      <Link
        href="/dashboard"
        className="flex items-center gap-2 rounded-control px-2 py-1 pointer-coarse:py-3 font-semibold text-ui"
      >
        <Mark />
        AL-Chat
      </Link>
      <Link href="/chat" aria-label="New chat" className={iconButtonClasses()}>
        <SquarePen size={20} aria-hidden />
      </Link>
    </header>
  )
}
