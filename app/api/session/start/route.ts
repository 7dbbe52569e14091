import { requireScope } from '@/lib/auth'
import { StartSession } from '@/lib/contracts/sessions'
import { methods, ok, route } from '@/lib/http'
import { startSession } from '@/lib/sessions'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireScope('chat'),
    body: StartSession,
    run: async ({ actor, body }) => ok(await startSession(actor, body)),
  }),
})
