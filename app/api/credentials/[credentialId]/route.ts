import { originOf, requireScope } from '@/lib/auth'
import { CredentialParams, UpdateCredential } from '@/lib/contracts/credentials'
import { methods, noContent, ok, route } from '@/lib/http'
import { deleteCredential, updateCredential } from '@/lib/vault'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  PUT: route({
    auth: requireScope('portal:write'),
    params: CredentialParams,
    body: UpdateCredential,
    run: async ({ actor, params, body, request, requestId }) =>
      ok(await updateCredential(actor, params.credentialId, body, originOf(request, requestId))),
  }),
  DELETE: route({
    auth: requireScope('portal:write'),
    params: CredentialParams,
    run: async ({ actor, params, request, requestId }) => {
      await deleteCredential(actor, params.credentialId, originOf(request, requestId))
      return noContent()
    },
  }),
})
