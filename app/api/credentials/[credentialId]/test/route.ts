import { originOf, requireScope } from '@/lib/auth'
import { CredentialParams } from '@/lib/contracts/credentials'
import { testCredential } from '@/lib/health'
import { methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireScope('portal:write'),
    limit: 'test',
    params: CredentialParams,
    run: async ({ actor, params, request, requestId }) =>
      ok(await testCredential(actor, params.credentialId, originOf(request, requestId))),
  }),
})
