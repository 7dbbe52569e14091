import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { Page, Section } from '@/components/portal/page'
import { LinkButton } from '@/components/ui/link-button'
import { requirePageActor } from '@/lib/auth'
import { listHealth, listSettings } from '@/lib/health'

export const metadata: Metadata = { title: 'Server' }

export default async function ServerSettingsPage() {
  const actor = await requirePageActor('/admin/settings')
  if (actor.role !== 'admin') notFound()
  const groups = [await listHealth(), ...listSettings()]
  return (
    <Page
      narrow
      title="Server"
      lead="How this server fares and how it was started. Its settings are read from the environment, or from .env, when it starts; to change something, change it there and start it again."
      actions={<LinkButton href="/admin/audit">Audit</LinkButton>}
    >
      {groups.map(({ title, settings }) => (
        <Section key={title} title={title}>
          <dl className="grid border-t text-ui sm:grid-cols-[minmax(0,1fr)_minmax(0,1.4fr)]">
            {settings.map(([variable, label, value]) => (
              <div key={label} className="contents">
                <dt className="flex flex-col pt-2 sm:border-b sm:pr-8 sm:pb-2">
                  <span>{label}</span>
                  {variable === '' ? null : (
                    <code className="wrap-anywhere font-mono text-ink-soft text-label">{variable}</code>
                  )}
                </dt>
                <dd className="wrap-anywhere border-b pb-2 text-ink-soft sm:pt-2">{value}</dd>
              </div>
            ))}
          </dl>
        </Section>
      ))}
    </Page>
  )
}
