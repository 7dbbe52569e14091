import { getKey, originOf, requireUser, revokeKey, updateKey } from '@/lib/auth'
import { KeyParams, UpdateKey } from '@/lib/contracts/keys'
import { methods, noContent, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireUser,
    params: KeyParams,
    run: async ({ actor, params }) => ok(await getKey(actor, params.keyId)),
  }),
  PATCH: route({
    auth: requireUser,
    params: KeyParams,
    body: UpdateKey,
    run: async ({ actor, params, body, request, requestId }) =>
      ok(await updateKey(actor, params.keyId, { input: body, origin: originOf(request, requestId) })),
  }),
  DELETE: route({
    auth: requireUser,
    params: KeyParams,
    run: async ({ actor, params, request, requestId }) => {
      await revokeKey(actor, params.keyId, originOf(request, requestId))
      return noContent()
    },
  }),
})
