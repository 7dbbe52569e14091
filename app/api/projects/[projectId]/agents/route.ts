import { requireScope } from '@/lib/auth'
import { Page } from '@/lib/contracts/primitives'
import { CreateAgent, ProjectParams } from '@/lib/contracts/projects'
import { created, methods, ok, route } from '@/lib/http'
import { createAgent, listAgents } from '@/lib/projects'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    params: ProjectParams,
    query: Page,
    run: async ({ actor, params, query }) => ok(await listAgents(actor, params.projectId, query)),
  }),
  POST: route({
    auth: requireScope('portal:write'),
    params: ProjectParams,
    body: CreateAgent,
    run: async ({ actor, params, body }) => created(await createAgent(actor, params.projectId, body)),
  }),
})
