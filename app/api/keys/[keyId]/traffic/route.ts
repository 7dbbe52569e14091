import { requireUser } from '@/lib/auth'
import { KeyParams } from '@/lib/contracts/keys'
import { Page } from '@/lib/contracts/primitives'
import { methods, ok, route } from '@/lib/http'
import { listTraffic } from '@/lib/usage'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireUser,
    params: KeyParams,
    query: Page,
    run: async ({ actor, params, query }) => ok(await listTraffic(actor, params.keyId, query)),
  }),
})
