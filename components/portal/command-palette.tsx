'use client'

import {
  Bot,
  ChartColumn,
  FolderClosed,
  History,
  Keyboard,
  KeyRound,
  LayoutGrid,
  LogOut,
  MessageSquare,
  ScrollText,
  Server,
  Settings,
  SquarePen,
  SquareTerminal,
  Users,
} from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useEffect, useState } from 'react'
import { type Command, type CommandGroup, CommandList } from '@/components/ui/command-list'
import { Dialog } from '@/components/ui/dialog'
import { request } from '@/components/ui/request'
import type { ConversationRecord } from '@/lib/contracts/conversations'
import type { Listing } from '@/lib/contracts/primitives'
import type { LaunchableAgent, ProjectRecord } from '@/lib/contracts/projects'
import { signOut, themes } from './account-menu'
import { useTheme } from './preferences'

type CommandPaletteProps = {
  open: boolean
  /** What was typed for it before it had the focus. */
  typed: string
  onOpenChange: (open: boolean) => void
  openShortcuts: () => void
  agents: LaunchableAgent[]
  isAdmin: boolean
}

const places = [
  { href: '/dashboard', label: 'Dashboard', Icon: LayoutGrid },
  { href: '/projects', label: 'Projects', Icon: FolderClosed },
  { href: '/vault', label: 'Vault', Icon: KeyRound },
  { href: '/keys', label: 'API keys', Icon: SquareTerminal },
  { href: '/sessions', label: 'Sessions', Icon: History },
  { href: '/usage', label: 'Usage', Icon: ChartColumn },
  { href: '/settings', label: 'Settings', Icon: Settings },
]
const adminPlaces = [
  { href: '/admin/users', label: 'Users', Icon: Users },
  { href: '/admin/audit', label: 'Audit', Icon: ScrollText },
  { href: '/admin/settings', label: 'Server', Icon: Server },
]

/** Go anywhere, launch anything, find a conversation. */
export function CommandPalette({ open, typed, onOpenChange, ...rest }: CommandPaletteProps) {
  const [query, setQuery] = useState(typed)
  // Who opens it again while it still fades away finds it as new.
  const [was, setWas] = useState({ open, typed })
  if (open !== was.open || typed !== was.typed) {
    setWas({ open, typed })
    if (open) setQuery(typed)
  }
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Search and commands" bare>
      <PaletteBody query={query} setQuery={setQuery} close={() => onOpenChange(false)} {...rest} />
    </Dialog>
  )
}

type PaletteBodyProps = Omit<CommandPaletteProps, 'open' | 'typed' | 'onOpenChange'> & {
  query: string
  setQuery: (query: string) => void
  close: () => void
}

function PaletteBody({ query, setQuery, close, openShortcuts, agents, isAdmin }: PaletteBodyProps) {
  const router = useRouter()
  const [, setTheme] = useTheme()
  const { conversations, projects, failed } = useFound(query)
  const leaving = (run: () => void) => () => {
    close()
    run()
  }
  const go = (href: string) => leaving(() => router.push(href))
  const groups: CommandGroup[] = [
    {
      label: 'Actions',
      commands: [{ id: 'new', label: 'New chat', icon: toIcon(SquarePen), run: go('/chat') }],
    },
    ...listPlaces({ agents, isAdmin, conversations, projects }, go),
    {
      label: 'This browser',
      commands: [
        ...themes.map(({ value, label, Icon }) => ({
          id: `theme-${value}`,
          label: `Theme: ${label.toLowerCase()}`,
          icon: toIcon(Icon),
          run: leaving(() => setTheme(value)),
        })),
        { id: 'shortcuts', label: 'Keyboard shortcuts', icon: toIcon(Keyboard), run: leaving(openShortcuts) },
        { id: 'sign-out', label: 'Sign out', icon: toIcon(LogOut), run: leaving(() => void signOut()) },
      ],
    },
  ]
  return (
    <CommandList
      label="Search and commands"
      placeholder="Search conversations, agents, pages…"
      query={query}
      onQuery={setQuery}
      groups={narrow(groups, query)}
      empty={
        failed ? 'Conversations could not be searched: AL-Chat did not answer.' : 'Nothing has this name.'
      }
    />
  )
}

const toIcon = (Icon: typeof Bot) => <Icon size={16} aria-hidden />

type Places = {
  agents: LaunchableAgent[]
  isAdmin: boolean
  conversations: ConversationRecord[]
  projects: ProjectRecord[]
}

/** Everywhere that one can go, by kind; `go` makes what goes there. */
function listPlaces(
  { agents, isAdmin, conversations, projects }: Places,
  go: (href: string) => () => void,
): CommandGroup[] {
  return [
    {
      label: 'Agents',
      commands: agents.map(({ id, name, project_name }) => ({
        id: `agent-${id}`,
        label: name,
        detail: project_name,
        icon: toIcon(Bot),
        run: go(`/chat/${id}`),
      })),
    },
    {
      label: 'Conversations',
      commands: conversations.map(({ id, title, agent_id }) => ({
        id: `conversation-${id}`,
        label: title,
        icon: toIcon(MessageSquare),
        run: go(`/chat/${agent_id}/${id}`),
      })),
    },
    {
      label: 'Projects',
      commands: projects.map(({ id, name }) => ({
        id: `project-${id}`,
        label: name,
        icon: toIcon(FolderClosed),
        run: go(`/projects/${id}`),
      })),
    },
    {
      label: 'Pages',
      commands: [...places, ...(isAdmin ? adminPlaces : [])].map(({ href, label, Icon }) => ({
        id: href,
        label,
        icon: toIcon(Icon),
        run: go(href),
      })),
    },
  ]
}

/** Keeps what has every word of the query; what the server found stays as it is. Few of each while nothing is typed. */
function narrow(groups: CommandGroup[], query: string): CommandGroup[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const matches = ({ label, detail = '' }: Command) => {
    const text = `${label} ${detail}`.toLowerCase()
    return words.every((word) => text.includes(word))
  }
  return groups.map(({ label, commands }) => {
    const found = label === 'Conversations' ? commands : commands.filter(matches)
    return { label, commands: found.slice(0, words.length === 0 ? 5 : 20) }
  })
}

/** Recent conversations, or those that have the query, 150 ms after the last key; and the projects. */
function useFound(query: string) {
  const [conversations, setConversations] = useState<ConversationRecord[]>([])
  const [projects, setProjects] = useState<ProjectRecord[]>([])
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    request<Listing<ProjectRecord>>('GET', '/api/projects?limit=100').then(
      ({ items }) => setProjects(items),
      () => setFailed(true),
    )
  }, [])
  useEffect(() => {
    const abort = new AbortController()
    const search = async () => {
      const params = new URLSearchParams({ limit: '20' })
      if (query.trim()) params.set('query', query.trim())
      const found = await request<Listing<ConversationRecord>>(
        'GET',
        `/api/conversations?${params}`,
        undefined,
        {
          signal: abort.signal,
        },
      )
      setConversations(found.items)
      setFailed(false)
    }
    const timer = setTimeout(() => search().catch(() => setFailed(!abort.signal.aborted)), query ? 150 : 0)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [query])
  return { conversations, projects, failed }
}
