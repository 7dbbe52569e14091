import { clearedCookie, endSession, requireUser } from '@/lib/auth'
import { methods, noContent, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireUser,
    run: async ({ actor, request }) => {
      await endSession(actor, actor.sessionId)
      return noContent({ 'set-cookie': clearedCookie(request) })
    },
  }),
})
