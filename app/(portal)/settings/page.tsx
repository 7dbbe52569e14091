import type { Metadata } from 'next'
import { DeviceList } from '@/components/account/device-list'
import { PasswordForm } from '@/components/account/password-form'
import { Page, Section } from '@/components/portal/page'
import { Part, RowsSkeleton } from '@/components/portal/part'
import { ThemeChoice } from '@/components/portal/theme-choice'
import { type Actor, listSessions, requirePageActor } from '@/lib/auth'

export const metadata: Metadata = { title: 'Settings' }

export default async function SettingsPage() {
  const actor = await requirePageActor('/settings')
  return (
    <Page narrow title="Settings">
      <Section title="Account">
        <dl className="grid grid-cols-[max-content_1fr] gap-x-8 gap-y-2 border-t pt-3 text-ui">
          {actor.name ? (
            <>
              <dt className="text-ink-soft">Name</dt>
              <dd className="wrap-anywhere">{actor.name}</dd>
            </>
          ) : null}
          <dt className="text-ink-soft">Email</dt>
          <dd className="wrap-anywhere">{actor.email}</dd>
          <dt className="text-ink-soft">Role</dt>
          <dd>{actor.role === 'admin' ? 'Admin of this AL-Chat' : 'Member'}</dd>
        </dl>
      </Section>
      <Section title="Theme">
        <ThemeChoice />
      </Section>
      <Section title="Password" lead="Changing it signs out every other device.">
        <PasswordForm email={actor.email} />
      </Section>
      <Section title="Signed-in devices">
        <Part label="the signed-in devices" skeleton={<RowsSkeleton rows={2} />}>
          <Devices actor={actor} />
        </Part>
      </Section>
    </Page>
  )
}

async function Devices({ actor }: { actor: Actor }) {
  return <DeviceList first={await listSessions(actor)} />
}
