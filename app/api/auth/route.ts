import { exchangeAccessKey, originOf, requireAccessKeySet } from '@/lib/auth'
import { AccessKey } from '@/lib/contracts/accounts'
import { methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireAccessKeySet,
    body: AccessKey,
    run: async ({ body, request, requestId }) =>
      ok(await exchangeAccessKey(body.access_key, originOf(request, requestId))),
  }),
})
