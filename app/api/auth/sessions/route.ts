import { listSessions, requireUser } from '@/lib/auth'
import { Page } from '@/lib/contracts/primitives'
import { methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireUser,
    query: Page,
    run: async ({ actor, query }) => ok(await listSessions(actor, query)),
  }),
})
