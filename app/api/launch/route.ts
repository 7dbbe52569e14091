import { createLaunch, originOf, requireKey } from '@/lib/auth'
import { CreateLaunch } from '@/lib/contracts/launch'
import { methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireKey('launch'),
    body: CreateLaunch,
    run: async ({ actor, body, request, requestId }) =>
      ok(await createLaunch(actor, body, request, originOf(request, requestId))),
  }),
})
