import { requireScope } from '@/lib/auth'
import { StopSession } from '@/lib/contracts/sessions'
import { methods, ok, route } from '@/lib/http'
import { stopSession } from '@/lib/sessions'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireScope('chat'),
    body: StopSession,
    run: async ({ actor, body }) => ok(await stopSession(actor, body)),
  }),
})
