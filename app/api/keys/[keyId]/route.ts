import { originOf, requireUser, revokeKey } from '@/lib/auth'
import { KeyParams } from '@/lib/contracts/keys'
import { methods, noContent, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  DELETE: route({
    auth: requireUser,
    params: KeyParams,
    run: async ({ actor, params, request, requestId }) => {
      await revokeKey(actor, params.keyId, originOf(request, requestId))
      return noContent()
    },
  }),
})
