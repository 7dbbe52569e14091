import { endSession, requireUser } from '@/lib/auth'
import { SessionParams } from '@/lib/contracts/accounts'
import { methods, noContent, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  DELETE: route({
    auth: requireUser,
    params: SessionParams,
    run: async ({ actor, params }) => {
      await endSession(actor, params.sessionId)
      return noContent()
    },
  }),
})
