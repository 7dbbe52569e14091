import { requireScope } from '@/lib/auth'
import { Page } from '@/lib/contracts/primitives'
import { AgentParams, CreatePrompt } from '@/lib/contracts/projects'
import { created, methods, ok, route } from '@/lib/http'
import { createPrompt, listPrompts } from '@/lib/projects'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    params: AgentParams,
    query: Page,
    run: async ({ actor, params, query }) => ok(await listPrompts(actor, params.agentId, query)),
  }),
  POST: route({
    auth: requireScope('portal:write'),
    params: AgentParams,
    body: CreatePrompt,
    run: async ({ actor, params, body }) => created(await createPrompt(actor, params.agentId, body)),
  }),
})
