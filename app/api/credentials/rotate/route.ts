import { originOf, requireUser } from '@/lib/auth'
import { accepted, methods, route } from '@/lib/http'
import { rotateVault } from '@/lib/vault'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireUser,
    run: async ({ actor, request, requestId }) =>
      accepted(await rotateVault(actor, originOf(request, requestId))),
  }),
})
