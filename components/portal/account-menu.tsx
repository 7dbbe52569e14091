'use client'

import { Keyboard, LogOut, Monitor, Moon, Sun } from 'lucide-react'
import { Menu, MenuChoice, MenuItem, MenuSeparator } from '@/components/ui/menu'
import { request } from '@/components/ui/request'
import { Kbd } from '@/components/ui/status'
import { notifyFailure } from '@/components/ui/toast'
import type { UserRecord } from '@/lib/contracts/accounts'
import { type Theme, useTheme } from './preferences'

/** The themes by name, in the order in which they are offered. */
export const themes: { value: Theme; label: string; Icon: typeof Sun }[] = [
  { value: 'system', label: 'As the system', Icon: Monitor },
  { value: 'light', label: 'Light', Icon: Sun },
  { value: 'dark', label: 'Dark', Icon: Moon },
]

/** Ends the session, then loads the sign-in page anew, so that nothing of this account stays in memory. */
export async function signOut(): Promise<void> {
  try {
    await request('POST', '/api/auth/logout')
    window.location.assign('/login')
  } catch (error) {
    notifyFailure('You are still signed in', error)
  }
}

type AccountMenuProps = { user: Pick<UserRecord, 'email' | 'name'>; openShortcuts: () => void }

/** Who is signed in, theme, shortcuts, sign out. */
export function AccountMenu({ user, openShortcuts }: AccountMenuProps) {
  const [theme, setTheme] = useTheme()
  const shown = user.name ?? user.email
  return (
    <Menu
      side="top"
      trigger={
        <button
          type="button"
          aria-label={`Account of ${shown}`}
          className="flex h-11 w-full items-center gap-2.5 folded:px-0 rounded-control px-2 text-left transition-colors folded:justify-center hover:bg-ink/5 data-popup-open:bg-ink/5"
        >
          <span
            aria-hidden
            className="flex size-7 shrink-0 items-center justify-center rounded-full bg-ink font-medium text-canvas text-label"
          >
            {shown.slice(0, 1).toUpperCase()}
          </span>
          <span className="folded:hidden min-w-0 flex-1">
            <span className="block truncate font-medium text-ui">{shown}</span>
            {user.name ? <span className="block truncate text-ink-soft text-label">{user.email}</span> : null}
          </span>
        </button>
      }
    >
      <MenuChoice
        label="Theme"
        value={theme}
        onChange={setTheme}
        options={themes.map(({ value, label, Icon }) => ({
          value,
          label,
          icon: <Icon size={16} aria-hidden />,
        }))}
      />
      <MenuSeparator />
      <MenuItem icon={<Keyboard size={16} aria-hidden />} end={<Kbd>?</Kbd>} onSelect={openShortcuts}>
        Keyboard shortcuts
      </MenuItem>
      <MenuItem icon={<LogOut size={16} aria-hidden />} onSelect={() => void signOut()}>
        Sign out
      </MenuItem>
    </Menu>
  )
}
