import { requireScope } from '@/lib/auth'
import { ResolutionQuery } from '@/lib/contracts/credentials'
import { AgentParams } from '@/lib/contracts/projects'
import { methods, ok, route } from '@/lib/http'
import { explainResolution } from '@/lib/vault'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    params: AgentParams,
    query: ResolutionQuery,
    run: async ({ actor, params, query }) =>
      ok({
        steps: await explainResolution(actor, { agentId: params.agentId, userId: query.user_id }),
      }),
  }),
})
