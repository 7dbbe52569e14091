import { originOf, requireScope } from '@/lib/auth'
import { AgentParams, UpdateAgent } from '@/lib/contracts/projects'
import { methods, noContent, ok, route } from '@/lib/http'
import { deleteAgent, getAgent, updateAgent } from '@/lib/projects'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    params: AgentParams,
    run: async ({ actor, params }) => ok(await getAgent(actor, params.agentId)),
  }),
  PATCH: route({
    auth: requireScope('portal:write'),
    params: AgentParams,
    body: UpdateAgent,
    run: async ({ actor, params, body }) => ok(await updateAgent(actor, params.agentId, body)),
  }),
  DELETE: route({
    auth: requireScope('portal:write'),
    params: AgentParams,
    run: async ({ actor, params, request, requestId }) => {
      await deleteAgent(actor, params.agentId, originOf(request, requestId))
      return noContent()
    },
  }),
})
