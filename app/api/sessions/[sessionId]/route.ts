import { requireScope } from '@/lib/auth'
import { ChatSessionParams } from '@/lib/contracts/sessions'
import { methods, ok, route } from '@/lib/http'
import { getChatSession } from '@/lib/sessions'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    params: ChatSessionParams,
    run: async ({ actor, params }) => ok(await getChatSession(actor, params.sessionId)),
  }),
})
