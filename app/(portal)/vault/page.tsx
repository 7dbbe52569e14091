import type { Metadata } from 'next'
import { Page } from '@/components/portal/page'
import { Part, RowsSkeleton } from '@/components/portal/part'
import { KeyTable } from '@/components/vault/key-table'
import { Reach } from '@/components/vault/reach'
import { Resolution } from '@/components/vault/resolution'
import { VaultKey } from '@/components/vault/vault-key'
import { type Actor, listOtherAccounts, requirePageActor } from '@/lib/auth'
import type { ResolutionStep } from '@/lib/contracts/credentials'
import { AppError } from '@/lib/errors'
import { listLaunchableAgents, listProjects } from '@/lib/projects'
import { describeReach } from '@/lib/reach'
import { explainResolution, findVaultKeyState, listCredentials } from '@/lib/vault'

export const metadata: Metadata = { title: 'Vault' }

type Query = { agent?: string | string[]; person?: string | string[] }

export default async function VaultPage({ searchParams }: { searchParams: Promise<Query> }) {
  const actor = await requirePageActor('/vault')
  return (
    <Page
      title="Vault"
      lead="Keys of model providers: sealed here, lent to one call at a time, never shown again."
    >
      <Part label="the keys" skeleton={<RowsSkeleton rows={3} />}>
        <Keys actor={actor} />
      </Part>
      <Part label="the order in which a key is found" skeleton={<RowsSkeleton rows={6} />}>
        <Order actor={actor} query={await searchParams} />
      </Part>
      <Reach {...describeReach()} isAdmin={actor.role === 'admin'} />
      {actor.role === 'admin' ? (
        <Part label="the vault’s own key" skeleton={<RowsSkeleton rows={1} />}>
          <OwnKey actor={actor} />
        </Part>
      ) : null}
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
      projects={projects.items.map(({ id, name, role }) => ({ id, name, mayKeepKeys: role !== 'viewer' }))}
      mayServeEveryone={actor.role === 'admin'}
      asOf={new Date().toISOString()}
    />
  )
}

async function Order({ actor, query }: { actor: Actor; query: Query }) {
  const [agents, accounts] = await Promise.all([listLaunchableAgents(actor), listOtherAccounts(actor)])
  const people = accounts.map(({ id, name, email }) => ({ id, name: name ? `${name} (${email})` : email }))
  const agent = agents.find(({ id }) => id === query.agent)
  const person = people.find(({ id }) => id === query.person) ?? null
  return (
    <Resolution
      steps={await findSteps(actor, agent?.id, person?.id)}
      agents={agents.map(({ id, name }) => ({ id, name }))}
      agentId={agent?.id ?? null}
      people={people}
      person={person}
    />
  )
}

/** The steps; null where the agent is not shared with the one who is asked about. */
async function findSteps(actor: Actor, agentId?: string, userId?: string): Promise<ResolutionStep[] | null> {
  try {
    return await explainResolution(actor, { agentId, userId })
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') return null
    throw error
  }
}

async function OwnKey({ actor }: { actor: Actor }) {
  const state = await findVaultKeyState(actor)
  return state ? <VaultKey state={state} /> : null
}
