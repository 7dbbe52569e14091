import { requireScope } from '@/lib/auth'
import { AgentVersionParams } from '@/lib/contracts/projects'
import { methods, ok, route } from '@/lib/http'
import { restoreAgentVersion } from '@/lib/projects'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireScope('portal:write'),
    params: AgentVersionParams,
    run: async ({ actor, params }) => ok(await restoreAgentVersion(actor, params.agentId, params.version)),
  }),
})
