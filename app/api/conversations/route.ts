import { requireScope } from '@/lib/auth'
import { listConversations } from '@/lib/chat'
import { ListConversations } from '@/lib/contracts/conversations'
import { methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('chat'),
    query: ListConversations,
    run: async ({ actor, query }) => ok(await listConversations(actor, query)),
  }),
})
