import { requireUser } from '@/lib/auth'
import { listConversations } from '@/lib/chat'
import { ListConversations } from '@/lib/contracts/conversations'
import { methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireUser,
    query: ListConversations,
    run: async ({ actor, query }) => ok(await listConversations(actor, query)),
  }),
})
