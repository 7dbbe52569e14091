import { requireScope } from '@/lib/auth'
import { LeaveSession } from '@/lib/contracts/sessions'
import { accepted, methods, route } from '@/lib/http'
import { leaveSession } from '@/lib/sessions'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireScope('chat'),
    body: LeaveSession,
    run: async ({ actor, body }) => accepted(await leaveSession(actor, body)),
  }),
})
