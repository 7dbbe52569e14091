import { inviteUser, listInvitations, originOf, requireAdmin } from '@/lib/auth'
import { InviteUser } from '@/lib/contracts/admin'
import { Page } from '@/lib/contracts/primitives'
import { created, methods, ok, publicAddress, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireAdmin,
    query: Page,
    run: async ({ query }) => ok(await listInvitations(query)),
  }),
  POST: route({
    auth: requireAdmin,
    body: InviteUser,
    run: async ({ actor, body, request, requestId }) =>
      created(await inviteUser(actor, body, publicAddress(request), originOf(request, requestId))),
  }),
})
