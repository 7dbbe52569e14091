'use client'

import { MoreHorizontal } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { IconButton } from '@/components/ui/button'
import { ConfirmDialog } from '@/components/ui/confirm'
import { Menu, MenuItem, MenuLink, MenuSeparator } from '@/components/ui/menu'
import { request } from '@/components/ui/request'
import { Table, Td, Th } from '@/components/ui/table'
import { Time } from '@/components/ui/time'
import { notify, notifyFailure } from '@/components/ui/toast'
import type { ManagedUser, UpdateUser } from '@/lib/contracts/admin'

type Asked = { deed: 'disable' | 'sign-out'; user: ManagedUser }

/** Every account, with what an admin can do about it. */
export function UserTable({ users, selfId }: { users: ManagedUser[]; selfId: string }) {
  const router = useRouter()
  const [asked, setAsked] = useState<Asked | null>(null)

  async function change(user: ManagedUser, wish: UpdateUser, done: string) {
    try {
      await request('PATCH', urlOf(user), wish)
      notify({ title: done })
      router.refresh()
    } catch (error) {
      notifyFailure('The account was not changed', error)
    }
  }

  return (
    <div className="@container">
      <Table label="Accounts">
        <thead>
          <tr>
            <Th>Account</Th>
            <Th className="@max-md:hidden w-24">Role</Th>
            <Th className="@max-2xl:hidden">Last seen</Th>
            <Th className="@max-3xl:hidden text-right">Devices</Th>
            <Th className="@max-3xl:hidden text-right">API keys</Th>
            <Th className="w-9 pr-0!">
              <span className="sr-only">Actions</span>
            </Th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <UserRow
              key={user.id}
              user={user}
              isSelf={user.id === selfId}
              change={(wish, done) => void change(user, wish, done)}
              ask={(deed) => setAsked({ deed, user })}
            />
          ))}
        </tbody>
      </Table>
      {asked ? <Question {...asked} close={() => setAsked(null)} /> : null}
    </div>
  )
}

const urlOf = ({ id }: ManagedUser) => `/api/admin/users/${id}`
const sayName = ({ name, email }: ManagedUser) => name ?? email

type UserRowProps = {
  user: ManagedUser
  isSelf: boolean
  change: (wish: UpdateUser, done: string) => void
  ask: (deed: Asked['deed']) => void
}

function UserRow({ user, isSelf, change, ask }: UserRowProps) {
  const isDisabled = user.disabled_at !== null
  const seen = user.last_seen_at ? <Time at={user.last_seen_at} /> : 'Signed out'
  return (
    <tr>
      <Td className="align-top">
        <div className="flex flex-col">
          <span className={isDisabled ? 'wrap-anywhere text-ink-soft' : 'wrap-anywhere font-medium'}>
            {sayName(user)}
            {isSelf ? <span className="font-normal text-ink-soft"> (you)</span> : null}
          </span>
          {user.name ? <span className="wrap-anywhere text-ink-soft text-label">{user.email}</span> : null}
          {isDisabled ? <span className="text-label text-warn">Disabled</span> : null}
          <span className="@md:hidden text-ink-soft text-label">{sayRole(user)}</span>
          <span className="@2xl:hidden text-ink-soft text-label">{seen}</span>
        </div>
      </Td>
      <Td className="@max-md:hidden align-top text-ink-soft">{sayRole(user)}</Td>
      <Td className="@max-2xl:hidden whitespace-nowrap align-top text-ink-soft">{seen}</Td>
      <Td className="@max-3xl:hidden text-right align-top text-ink-soft tabular-nums">{user.sessions}</Td>
      <Td className="@max-3xl:hidden text-right align-top text-ink-soft tabular-nums">{user.keys}</Td>
      <Td className="py-1.5! pr-0! align-top">
        <Menu
          trigger={
            <IconButton label={`Actions for ${sayName(user)}`} size="small">
              <MoreHorizontal size={16} aria-hidden />
            </IconButton>
          }
        >
          <MenuLink href={`/admin/audit?actor=${encodeURIComponent(user.email)}`}>What they did</MenuLink>
          {isSelf ? null : <Deeds user={user} change={change} ask={ask} />}
        </Menu>
      </Td>
    </tr>
  )
}

const sayRole = ({ role }: ManagedUser) => (role === 'admin' ? 'Admin' : 'Member')

function Deeds({ user, change, ask }: Omit<UserRowProps, 'isSelf'>) {
  const name = sayName(user)
  if (user.disabled_at !== null) {
    const enable = () => change({ disabled: false }, `${name} may sign in again`)
    return <MenuItem onSelect={enable}>Enable</MenuItem>
  }
  return (
    <>
      {user.role === 'admin' ? (
        <MenuItem onSelect={() => change({ role: 'member' }, `${name} is a member now`)}>
          Make a member
        </MenuItem>
      ) : (
        <MenuItem onSelect={() => change({ role: 'admin' }, `${name} is an admin now`)}>
          Make an admin
        </MenuItem>
      )}
      <MenuSeparator />
      {user.sessions > 0 ? <MenuItem onSelect={() => ask('sign-out')}>Sign out everywhere…</MenuItem> : null}
      <MenuItem danger onSelect={() => ask('disable')}>
        Disable…
      </MenuItem>
    </>
  )
}

function Question({ deed, user, close }: Asked & { close: () => void }) {
  const router = useRouter()
  const name = sayName(user)
  const isDisabling = deed === 'disable'

  async function confirm() {
    if (isDisabling) await request('PATCH', urlOf(user), { disabled: true } satisfies UpdateUser)
    else await request('DELETE', `${urlOf(user)}/sessions`)
    notify({ title: isDisabling ? `Disabled ${name}` : `Signed ${name} out` })
    router.refresh()
  }

  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={isDisabling ? `Disable ${name}?` : `Sign ${name} out everywhere?`}
      action={isDisabling ? 'Disable' : 'Sign out'}
      onConfirm={confirm}
    >
      {isDisabling
        ? `Within a second they are signed out, and their API keys (${user.keys}) are revoked for good. What they have stays, and you can enable the account again.`
        : `It ends their sessions (${user.sessions}) within a second. They can sign in again; their API keys go on.`}
    </ConfirmDialog>
  )
}
