'use client'

import { useRouter } from 'next/navigation'
import { Section } from '@/components/portal/page'
import { Button } from '@/components/ui/button'
import { MoreButton } from '@/components/ui/more-button'
import { request } from '@/components/ui/request'
import { Time } from '@/components/ui/time'
import { notify, notifyFailure } from '@/components/ui/toast'
import { useListing } from '@/components/ui/use-listing'
import type { InvitationRecord } from '@/lib/contracts/admin'
import type { Listing } from '@/lib/contracts/primitives'

/** Who was invited and has not come yet. */
export function InvitationList({ first }: { first: Listing<InvitationRecord> }) {
  const router = useRouter()
  const { items, ...more } = useListing(first, '/api/admin/users/invite')
  if (items.length === 0) return null

  async function revoke({ id, email }: InvitationRecord) {
    try {
      await request('DELETE', `/api/admin/users/invite/${id}`)
      notify({ title: `Took the invitation of ${email} back` })
      router.refresh()
    } catch (error) {
      notifyFailure('The invitation stands', error)
    }
  }

  return (
    <Section title="Invited" lead="They have a link and have not used it yet.">
      <ul className="border-t">
        {items.map((invitation) => (
          <li key={invitation.id} className="flex min-h-14 items-center gap-4 border-b py-2">
            <div className="flex min-w-0 flex-1 flex-col">
              <span className="truncate text-ui">{invitation.email}</span>
              <span className="text-ink-soft text-label">
                {invitation.role === 'admin' ? 'As an admin, by ' : 'By '}
                {invitation.invited_by} · <Time at={invitation.created_at} />
              </span>
            </div>
            <Button size="small" onClick={() => void revoke(invitation)}>
              Revoke
              <span className="sr-only"> the invitation of {invitation.email}</span>
            </Button>
          </li>
        ))}
      </ul>
      <MoreButton {...more} />
    </Section>
  )
}
