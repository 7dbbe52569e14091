import { requireScope } from '@/lib/auth'
import { Page } from '@/lib/contracts/primitives'
import { AgentParams } from '@/lib/contracts/projects'
import { methods, ok, route } from '@/lib/http'
import { listAgentVersions } from '@/lib/projects'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    params: AgentParams,
    query: Page,
    run: async ({ actor, params, query }) => ok(await listAgentVersions(actor, params.agentId, query)),
  }),
})
