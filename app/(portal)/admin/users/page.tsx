import { Users } from 'lucide-react'
import type { Metadata } from 'next'
import Form from 'next/form'
import { notFound } from 'next/navigation'
import { InvitationList } from '@/components/admin/invitation-list'
import { InviteButton } from '@/components/admin/invite-dialog'
import { UserTable } from '@/components/admin/user-table'
import { Page } from '@/components/portal/page'
import { Part, RowsSkeleton } from '@/components/portal/part'
import { Input } from '@/components/ui/field'
import { LinkButton } from '@/components/ui/link-button'
import { EmptyState } from '@/components/ui/status'
import { type Actor, listInvitations, listUsers, requirePageActor } from '@/lib/auth'
import { ListUsers } from '@/lib/contracts/admin'

export const metadata: Metadata = { title: 'Users' }

type Props = { searchParams: Promise<Record<string, string | string[] | undefined>> }

export default async function UsersPage({ searchParams }: Props) {
  const actor = await requirePageActor('/admin/users')
  if (actor.role !== 'admin') notFound()
  const { query, cursor } = await searchParams
  const asked = ListUsers.safeParse({ query, cursor }).data ?? ListUsers.parse({})
  return (
    <Page
      title="Users"
      lead="Everybody who has an account here, and who was invited."
      actions={<InviteButton />}
    >
      <Part label="the accounts" skeleton={<RowsSkeleton rows={6} />}>
        <Accounts actor={actor} asked={asked} />
      </Part>
    </Page>
  )
}

async function Accounts({ actor, asked }: { actor: Actor; asked: ListUsers }) {
  const [users, invitations] = await Promise.all([listUsers(asked), listInvitations({ limit: 50 })])
  const query = asked.query?.trim() ?? ''
  const hrefOf = (cursor?: string) =>
    `/admin/users?${new URLSearchParams({ ...(query && { query }), ...(cursor && { cursor }) })}`
  return (
    <>
      {query || asked.cursor ? null : <InvitationList first={invitations} />}
      <div className="flex flex-col gap-4">
        <Form action="/admin/users" role="search" className="max-w-80">
          <Input
            key={query}
            type="search"
            name="query"
            aria-label="Name or email"
            placeholder="Name or email"
            maxLength={254}
            defaultValue={query}
          />
        </Form>
        {users.items.length === 0 ? (
          <EmptyState
            icon={<Users size={24} aria-hidden />}
            title="Nobody has this in their name or email"
            action={<LinkButton href="/admin/users">Show everybody</LinkButton>}
          />
        ) : (
          <UserTable users={users.items} selfId={actor.userId} />
        )}
        <nav aria-label="Pages of accounts" className="flex justify-end gap-2">
          {asked.cursor ? <LinkButton href={hrefOf()}>Newest</LinkButton> : null}
          {users.next_cursor ? <LinkButton href={hrefOf(users.next_cursor)}>Older</LinkButton> : null}
        </nav>
      </div>
    </>
  )
}
