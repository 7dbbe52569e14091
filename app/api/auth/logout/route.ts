import { clearedCookie, endSession, originOf, requireUser } from '@/lib/auth'
import { methods, noContent, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireUser,
    run: async ({ actor, request, requestId }) => {
      await endSession(actor, actor.sessionId, originOf(request, requestId))
      return noContent({ 'set-cookie': clearedCookie(request) })
    },
  }),
})
