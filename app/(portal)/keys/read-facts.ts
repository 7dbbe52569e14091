import type { KeyFormFacts } from '@/components/keys/key-fields'
import type { ModelChoice } from '@/components/keys/model-picker'
import type { Actor } from '@/lib/auth'
import { isModelAllowed, type KeyRecord } from '@/lib/contracts/keys'
import { defaultModel } from '@/lib/contracts/models'
import { listLaunchableAgents, listProjects } from '@/lib/projects'

/** What the pages about API keys offer to choose from; agents of one project alone where `projectId` is given. */
export async function readKeyFacts(actor: Actor, projectId: string | null = null): Promise<KeyFormFacts> {
  const [projects, agents] = await Promise.all([
    listProjects(actor, { limit: 100 }),
    listLaunchableAgents(actor),
  ])
  const reached = agents.filter(({ project_id }) => projectId === null || project_id === projectId)
  return {
    projects: projects.items.map(({ id, name }) => ({ id, name })),
    models: [
      { value: defaultModel },
      ...reached.map(({ id, name }) => ({ value: `agent:${id}`, label: name })),
    ],
    isAdmin: actor.role === 'admin',
  }
}

/** Of what is offered, what a key may call; names that it is allowed to call where it is none of that. */
export function listCallable({ allowed_models }: KeyRecord, models: readonly ModelChoice[]): ModelChoice[] {
  const named = allowed_models.filter((name) => !name.endsWith('*')).map((value) => ({ value }))
  const known = models.filter(({ value }) => isModelAllowed({ allowedModels: allowed_models }, value))
  const callable = [...known, ...named.filter(({ value }) => known.every((model) => model.value !== value))]
  return callable.length > 0 ? callable : models.slice(0, 1)
}
