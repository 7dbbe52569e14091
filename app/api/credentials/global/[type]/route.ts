import { originOf, requireKey } from '@/lib/auth'
import { GlobalCredentialParams } from '@/lib/contracts/credentials'
import { methods, ok, route } from '@/lib/http'
import { revealGlobalCredential } from '@/lib/vault'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireKey('credentials:read'),
    params: GlobalCredentialParams,
    run: async ({ actor, params, request, requestId }) =>
      ok(await revealGlobalCredential(actor, params.type, originOf(request, requestId))),
  }),
})
