import { listSessions, requireUser } from '@/lib/auth'
import { Page } from '@/lib/contracts/primitives'
import { methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireUser,
    // Nobody is signed in on so many devices that the list, 100 at most, has a second page.
    query: Page,
    run: async ({ actor }) => ok({ items: await listSessions(actor), next_cursor: null }),
  }),
})
