import { endSession, originOf, requireUser } from '@/lib/auth'
import { SessionParams } from '@/lib/contracts/accounts'
import { methods, noContent, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  DELETE: route({
    auth: requireUser,
    params: SessionParams,
    run: async ({ actor, params, request, requestId }) => {
      await endSession(actor, params.sessionId, originOf(request, requestId))
      return noContent()
    },
  }),
})
