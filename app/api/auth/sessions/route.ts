import { listSessions, requireUser } from '@/lib/auth'
import { methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireUser,
    run: async ({ actor }) => ok({ items: await listSessions(actor), next_cursor: null }),
  }),
})
