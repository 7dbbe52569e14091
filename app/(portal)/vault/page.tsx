import type { Metadata } from 'next'
import { Page } from '@/components/portal/page'
import { Part, RowsSkeleton } from '@/components/portal/part'
import { KeyTable } from '@/components/vault/key-table'
import { Resolution } from '@/components/vault/resolution'
import { type Actor, requirePageActor } from '@/lib/auth'
import { listLaunchableAgents, listProjects } from '@/lib/projects'
import { explainResolution, listCredentials } from '@/lib/vault'

export const metadata: Metadata = { title: 'Vault' }

type Props = { searchParams: Promise<{ agent?: string | string[] }> }

export default async function VaultPage({ searchParams }: Props) {
  const actor = await requirePageActor('/vault')
  const { agent } = await searchParams
  return (
    <Page
      title="Vault"
      lead="Keys of model providers: sealed here, lent to one call at a time, never shown again."
    >
      <Part label="the keys" skeleton={<RowsSkeleton rows={3} />}>
        <Keys actor={actor} />
      </Part>
      <Part label="the order in which a key is found" skeleton={<RowsSkeleton rows={6} />}>
        <Order actor={actor} wanted={typeof agent === 'string' ? agent : null} />
      </Part>
    </Page>
  )
}

async function Keys({ actor }: { actor: Actor }) {
  const [credentials, projects] = await Promise.all([
    listCredentials(actor),
    listProjects(actor, { limit: 100 }),
  ])
  return (
    <KeyTable
      credentials={credentials}
      projects={projects.items.map(({ id, name, role }) => ({ id, name, isOwn: role === 'owner' }))}
      mayServeEveryone={actor.role === 'admin'}
    />
  )
}

async function Order({ actor, wanted }: { actor: Actor; wanted: string | null }) {
  const agents = await listLaunchableAgents(actor)
  const chosen = agents.find(({ id }) => id === wanted)
  const steps = await explainResolution(actor, chosen ? { agentId: chosen.id } : {})
  return (
    <Resolution
      steps={steps}
      agents={agents.map(({ id, name }) => ({ id, name }))}
      agentId={chosen?.id ?? null}
    />
  )
}
