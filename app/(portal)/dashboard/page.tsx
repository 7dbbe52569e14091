import type { Metadata } from 'next'
import { FirstRun } from '@/components/dashboard/first-run'
import { KeyNotices } from '@/components/dashboard/key-notices'
import { LaunchTiles } from '@/components/dashboard/launch-tiles'
import { ServiceHealth } from '@/components/dashboard/live-dot'
import { toNotices } from '@/components/dashboard/notice-words'
import { Recent } from '@/components/dashboard/recent'
import { Week } from '@/components/dashboard/week'
import { Page, Section } from '@/components/portal/page'
import { Part, RowsSkeleton, TilesSkeleton } from '@/components/portal/part'
import { type Actor, listKeys, requirePageActor } from '@/lib/auth'
import { listConversations } from '@/lib/chat'
import { listLaunchableAgents, listProjects } from '@/lib/projects'
import { summarizeWeek } from '@/lib/usage'
import { explainResolution, listCredentials, listKeyConcerns } from '@/lib/vault'

export const metadata: Metadata = { title: 'Dashboard' }

export default async function DashboardPage() {
  const actor = await requirePageActor('/dashboard')
  return (
    <Page title="Dashboard" actions={<ServiceHealth />}>
      <Part label="keys in trouble" skeleton={null}>
        <Notices actor={actor} />
      </Part>
      <Part label="what can be launched" skeleton={<TilesSkeleton />}>
        <Launch actor={actor} />
      </Part>
      <div className="grid gap-8 lg:grid-cols-[2fr_1fr] lg:gap-12">
        <Part label="recent conversations" skeleton={<RowsSkeleton />}>
          <RecentConversations actor={actor} />
        </Part>
        <Part label="this week’s use" skeleton={<RowsSkeleton rows={2} />}>
          <ThisWeek actor={actor} />
        </Part>
      </div>
    </Page>
  )
}

/** More tiles than this are found by search sooner than by eye. */
const mostTiles = 23

async function findServing(actor: Actor, query: { agentId?: string }) {
  const steps = await explainResolution(actor, query)
  return steps.find(({ status }) => status === 'serves') ?? null
}

async function Notices({ actor }: { actor: Actor }) {
  const [concerns, keys] = await Promise.all([listKeyConcerns(actor), listKeys(actor)])
  return <KeyNotices notices={toNotices(concerns, keys.items, new Date().toISOString())} />
}

async function Launch({ actor }: { actor: Actor }) {
  const [agents, serving, projects, { items }, credentials] = await Promise.all([
    listLaunchableAgents(actor),
    findServing(actor, {}),
    listProjects(actor, { limit: 20 }),
    listConversations(actor, { limit: 1 }),
    listCredentials(actor),
  ])
  const shown = await Promise.all(
    agents.slice(0, mostTiles).map(async (agent) => ({
      ...agent,
      serving: await findServing(actor, { agentId: agent.id }),
    })),
  )
  const project = projects.items.find(({ role }) => role !== 'viewer')
  const newAgentHref = project ? `/projects/${project.id}/agents/new` : '/projects'
  const agent = agents[0]
  return (
    <>
      {items.length === 0 ? (
        <FirstRun
          hasKey={credentials.length > 0}
          hasAgent={agent !== undefined}
          agentHref={newAgentHref}
          chatHref={agent ? `/chat/${agent.id}` : '/chat'}
        />
      ) : null}
      <Section title="Launch">
        <LaunchTiles agents={shown} serving={serving} newAgentHref={newAgentHref} />
      </Section>
    </>
  )
}

async function RecentConversations({ actor }: { actor: Actor }) {
  const [{ items }, agents] = await Promise.all([
    listConversations(actor, { limit: 8 }),
    listLaunchableAgents(actor),
  ])
  return (
    <Recent conversations={items} agentNames={Object.fromEntries(agents.map(({ id, name }) => [id, name]))} />
  )
}

async function ThisWeek({ actor }: { actor: Actor }) {
  return <Week days={await summarizeWeek(actor)} />
}
