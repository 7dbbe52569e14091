import { requireUser } from '@/lib/auth'
import { Page } from '@/lib/contracts/primitives'
import { CreateAgent, ProjectParams } from '@/lib/contracts/projects'
import { created, methods, ok, route } from '@/lib/http'
import { createAgent, listAgents } from '@/lib/projects'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireUser,
    params: ProjectParams,
    query: Page,
    run: async ({ actor, params, query }) => ok(await listAgents(actor, params.projectId, query)),
  }),
  POST: route({
    auth: requireUser,
    params: ProjectParams,
    body: CreateAgent,
    run: async ({ actor, params, body }) => created(await createAgent(actor, params.projectId, body)),
  }),
})
