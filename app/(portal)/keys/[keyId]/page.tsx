import type { Metadata } from 'next'
import { TryIt, UseIt } from '@/components/keys/first-call'
import type { KeyFormFacts } from '@/components/keys/key-fields'
import { KeyActions, KeyView } from '@/components/keys/key-view'
import { Page, Section } from '@/components/portal/page'
import { Part, RowsSkeleton } from '@/components/portal/part'
import { type Actor, getKey, requirePageActor } from '@/lib/auth'
import type { KeyRecord } from '@/lib/contracts/keys'
import { describeProvider } from '@/lib/health'
import { listTraffic } from '@/lib/usage'
import { orNotFound } from '../../or-not-found'
import { listCallable, readKeyFacts } from '../read-facts'

export const metadata: Metadata = { title: 'API key' }

/** As many calls as the page asks for at a time later on. */
const shownCalls = 10

type Props = { params: Promise<{ keyId: string }> }

export default async function KeyPage({ params }: Props) {
  const { keyId } = await params
  const actor = await requirePageActor(`/keys/${keyId}`)
  const record = await orNotFound(getKey(actor, keyId))
  const facts = await readKeyFacts(actor, record.project_id)
  return (
    <Page
      title={
        <>
          {record.name} <span className="whitespace-nowrap font-normal text-ink-soft">··{record.last4}</span>
        </>
      }
      up={{ href: '/keys', label: 'API keys' }}
      actions={<KeyActions record={record} facts={facts} />}
    >
      <Part label="the traffic of this key" skeleton={<RowsSkeleton rows={4} />}>
        <View actor={actor} record={record} facts={facts} />
      </Part>
      {record.scopes.includes('gateway') ? (
        <>
          <Section
            title="Use it"
            lead="With the key in the variable AL_CHAT_KEY. Every client of OpenAI works."
          >
            <UseIt models={listCallable(record, facts.models)} />
          </Section>
          <Part label="what serves you" skeleton={<RowsSkeleton rows={1} />}>
            <Trial actor={actor} facts={facts} />
          </Part>
        </>
      ) : null}
    </Page>
  )
}

type ViewProps = { actor: Actor; record: KeyRecord; facts: KeyFormFacts }

async function View({ actor, record, facts }: ViewProps) {
  const traffic = await listTraffic(actor, record.id, { limit: shownCalls })
  return (
    <KeyView record={record} projects={facts.projects} traffic={traffic} asOf={new Date().toISOString()} />
  )
}

async function Trial({ actor, facts }: Omit<ViewProps, 'record'>) {
  const { configured } = await describeProvider(actor)
  return <TryIt models={facts.models} isServed={configured} />
}
