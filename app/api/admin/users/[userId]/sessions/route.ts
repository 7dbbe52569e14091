import { endUserSessions, originOf, requireAdmin } from '@/lib/auth'
import { UserParams } from '@/lib/contracts/admin'
import { methods, noContent, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  DELETE: route({
    auth: requireAdmin,
    params: UserParams,
    run: async ({ actor, params, request, requestId }) => {
      await endUserSessions(actor, params.userId, originOf(request, requestId))
      return noContent()
    },
  }),
})
