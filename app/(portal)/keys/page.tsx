import type { Metadata } from 'next'
import { ApiKeyList } from '@/components/keys/api-key-list'
import { Snippets } from '@/components/keys/snippets'
import { Page, Section } from '@/components/portal/page'
import { Part, RowsSkeleton } from '@/components/portal/part'
import { type Actor, listKeys, requirePageActor } from '@/lib/auth'
import { listProjects } from '@/lib/projects'

export const metadata: Metadata = { title: 'API keys' }

export default async function KeysPage() {
  const actor = await requirePageActor('/keys')
  return (
    <Page
      title="API keys"
      lead="With one of these a program uses AL-Chat in your name, as far as you let it."
    >
      <Part label="your API keys" skeleton={<RowsSkeleton rows={3} />}>
        <Keys actor={actor} />
      </Part>
      <Section
        title="A first call"
        lead="With a key that may read the portal, kept in the variable AL_CHAT_KEY."
      >
        <Snippets />
      </Section>
    </Page>
  )
}

async function Keys({ actor }: { actor: Actor }) {
  const [keys, projects] = await Promise.all([listKeys(actor), listProjects(actor, { limit: 100 })])
  return (
    <ApiKeyList
      first={keys}
      projects={projects.items.map(({ id, name }) => ({ id, name }))}
      isAdmin={actor.role === 'admin'}
      asOf={new Date().toISOString()}
    />
  )
}
