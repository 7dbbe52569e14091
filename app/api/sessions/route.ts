import { requireScope } from '@/lib/auth'
import { ListChatSessions } from '@/lib/contracts/sessions'
import { methods, ok, route } from '@/lib/http'
import { listChatSessions } from '@/lib/sessions'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    query: ListChatSessions,
    run: async ({ actor, query }) => ok(await listChatSessions(actor, query)),
  }),
})
