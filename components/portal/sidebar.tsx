'use client'

import {
  ChartColumn,
  Command,
  FolderClosed,
  History,
  KeyRound,
  LayoutGrid,
  PanelLeft,
  ScrollText,
  Server,
  Settings,
  SquarePen,
  SquareTerminal,
  Users,
} from 'lucide-react'
import Link from 'next/link'
import { usePathname } from 'next/navigation'
import type { ReactNode } from 'react'
import { IconButton } from '@/components/ui/button'
import { cn } from '@/components/ui/class-names'
import { Tooltip } from '@/components/ui/tooltip'
import type { UserRecord } from '@/lib/contracts/accounts'
import { AccountMenu } from './account-menu'
import { useFoldedSidebar, useModifierKey } from './preferences'
import type { ShellDialog } from './shell-keys'
import { Mark } from './wordmark'

const pages = [
  { href: '/dashboard', label: 'Dashboard', Icon: LayoutGrid },
  { href: '/projects', label: 'Projects', Icon: FolderClosed },
  { href: '/vault', label: 'Vault', Icon: KeyRound },
  { href: '/keys', label: 'API keys', Icon: SquareTerminal },
  { href: '/sessions', label: 'Sessions', Icon: History },
  { href: '/usage', label: 'Usage', Icon: ChartColumn },
  { href: '/settings', label: 'Settings', Icon: Settings },
]

const adminPages = [
  { href: '/admin/users', label: 'Users', Icon: Users },
  { href: '/admin/audit', label: 'Audit', Icon: ScrollText },
  { href: '/admin/settings', label: 'Server', Icon: Server },
]

type SidebarProps = {
  user: Pick<UserRecord, 'email' | 'name' | 'role'>
  conversations: ReactNode
  openDialog: (dialog: ShellDialog) => void
  inSheet: boolean
}

/** Product, new chat, search, pages, conversations, account. Folds to a rail of icons on wide screens. */
export function Sidebar({ user, conversations, openDialog, inSheet }: SidebarProps) {
  const pathname = usePathname()
  const modifier = useModifierKey()
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex h-14 shrink-0 items-center justify-between folded:justify-center pr-2 pl-4 folded:px-0">
        <Link
          href="/dashboard"
          className="flex folded:hidden items-center gap-2.5 rounded-control font-semibold text-ui tracking-tight"
        >
          <Mark />
          AL-Chat
        </Link>
        {inSheet ? null : <FoldButton />}
      </div>
      <nav aria-label="Pages" className="flex shrink-0 flex-col gap-px px-2 pb-3">
        <Link href="/chat" title="New chat" className={rowClasses(false)}>
          <SquarePen size={16} aria-hidden />
          <RowLabel>New chat</RowLabel>
          <Hint>{modifier === '⌘' ? '⇧⌘O' : 'Ctrl ⇧ O'}</Hint>
        </Link>
        <button
          type="button"
          title="Go to…"
          className={rowClasses(false)}
          onClick={() => openDialog('palette')}
        >
          <Command size={16} aria-hidden />
          <RowLabel>Go to…</RowLabel>
          <Hint>{modifier === '⌘' ? '⌘K' : 'Ctrl K'}</Hint>
        </button>
        <div aria-hidden className="mx-2 my-2 h-px bg-line" />
        {[...pages, ...(user.role === 'admin' ? adminPages : [])].map(({ href, label, Icon }) => {
          const isHere = pathname === href || pathname.startsWith(`${href}/`)
          return (
            <Link
              key={href}
              href={href}
              title={label}
              aria-current={isHere ? 'page' : undefined}
              className={rowClasses(isHere)}
            >
              <Icon size={16} aria-hidden />
              <RowLabel>{label}</RowLabel>
            </Link>
          )
        })}
      </nav>
      <div className="flex min-h-0 flex-1 folded:invisible flex-col overflow-y-auto">{conversations}</div>
      <div className="shrink-0 border-t p-2">
        <AccountMenu user={user} openShortcuts={() => openDialog('shortcuts')} />
      </div>
    </div>
  )
}

/** One line of the sidebar; the icon stays in its place when the sidebar folds. */
function rowClasses(isHere: boolean): string {
  return cn(
    'group flex h-8 pointer-coarse:h-11 w-full items-center gap-2.5 rounded-control px-3 text-left text-ui transition-colors',
    isHere ? 'bg-ink/7 font-medium text-ink' : 'text-ink-soft hover:bg-ink/5 hover:text-ink',
  )
}

function RowLabel({ children }: { children: ReactNode }) {
  return <span className="folded:sr-only min-w-0 flex-1 truncate">{children}</span>
}

function Hint({ children }: { children: ReactNode }) {
  return (
    <span
      aria-hidden
      className="pointer-coarse:hidden folded:hidden text-label opacity-0 group-hover:opacity-100"
    >
      {children}
    </span>
  )
}

function FoldButton() {
  const [folded, setFolded] = useFoldedSidebar()
  const label = folded ? 'Unfold the sidebar' : 'Fold the sidebar'
  return (
    <Tooltip label={label} side="right">
      <IconButton label={label} size="small" aria-expanded={!folded} onClick={() => setFolded(!folded)}>
        <PanelLeft size={16} aria-hidden />
      </IconButton>
    </Tooltip>
  )
}
