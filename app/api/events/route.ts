import { requireScope } from '@/lib/auth'
import { followEvents } from '@/lib/chat'
import { FollowEvents } from '@/lib/contracts/events'
import { eventStream, methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('chat'),
    query: FollowEvents,
    run: async ({ actor, query }) => eventStream(followEvents(actor, query.replies ?? [])),
  }),
})
