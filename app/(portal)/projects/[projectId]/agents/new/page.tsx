import type { Metadata } from 'next'
import { Page } from '@/components/portal/page'
import { AgentForm } from '@/components/projects/agent-form'
import { requirePageActor } from '@/lib/auth'
import { defaultModel } from '@/lib/contracts/models'
import type { AgentSettings } from '@/lib/contracts/projects'
import { getProject } from '@/lib/projects'
import { orNotFound } from '../../../../or-not-found'

export const metadata: Metadata = { title: 'New agent' }

const blank: AgentSettings = {
  name: '',
  description: '',
  system_prompt: '',
  model_provider: 'auto',
  model_name: defaultModel,
  temperature: null,
  max_output_tokens: null,
  reasoning_effort: null,
  background: false,
  tools: [],
}

type Props = { params: Promise<{ projectId: string }> }

export default async function NewAgentPage({ params }: Props) {
  const { projectId } = await params
  const actor = await requirePageActor(`/projects/${projectId}/agents/new`)
  const project = await orNotFound(getProject(actor, projectId))
  return (
    <Page
      narrow
      title="New agent"
      lead="A model with a name, instructions and settings. A name is enough to begin."
      up={{ href: `/projects/${projectId}`, label: project.name }}
    >
      <AgentForm projectId={projectId} settings={blank} />
    </Page>
  )
}
