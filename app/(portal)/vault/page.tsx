import type { Metadata } from 'next'
import { Page } from '@/components/portal/page'
import { KeyTable } from '@/components/vault/key-table'
import { Resolution } from '@/components/vault/resolution'
import { requirePageActor } from '@/lib/auth'
import { listLaunchableAgents, listProjects } from '@/lib/projects'
import { explainResolution, listCredentials } from '@/lib/vault'

export const metadata: Metadata = { title: 'Vault' }

type Props = { searchParams: Promise<{ agent?: string | string[] }> }

export default async function VaultPage({ searchParams }: Props) {
  const actor = await requirePageActor('/vault')
  const [credentials, agents, projects, { agent }] = await Promise.all([
    listCredentials(actor),
    listLaunchableAgents(actor),
    listProjects(actor, { limit: 100 }),
    searchParams,
  ])
  const chosen = agents.find(({ id }) => id === agent)
  const steps = await explainResolution(actor, chosen ? { agentId: chosen.id } : {})
  return (
    <Page
      title="Vault"
      lead="Keys of model providers: sealed here, lent to one call at a time, never shown again."
    >
      <KeyTable
        credentials={credentials}
        projects={projects.items.filter(({ role }) => role === 'owner').map(({ id, name }) => ({ id, name }))}
        mayServeEveryone={actor.role === 'admin'}
      />
      <Resolution
        steps={steps}
        agents={agents.map(({ id, name }) => ({ id, name }))}
        agentId={chosen?.id ?? null}
      />
    </Page>
  )
}
