import { requireScope } from '@/lib/auth'
import { createConversation } from '@/lib/chat'
import { CreateConversation } from '@/lib/contracts/conversations'
import { AgentParams } from '@/lib/contracts/projects'
import { created, methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireScope('chat'),
    params: AgentParams,
    body: CreateConversation,
    run: async ({ actor, params, body }) =>
      created({ conversation: await createConversation(actor, params.agentId, body) }),
  }),
})
