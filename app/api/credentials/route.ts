import { originOf, requireScope } from '@/lib/auth'
import { CreateCredential } from '@/lib/contracts/credentials'
import { Page } from '@/lib/contracts/primitives'
import { created, methods, ok, route } from '@/lib/http'
import { createCredential, pageCredentials } from '@/lib/vault'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    query: Page,
    run: async ({ actor, query }) => ok(await pageCredentials(actor, query)),
  }),
  POST: route({
    auth: requireScope('portal:write'),
    body: CreateCredential,
    run: async ({ actor, body, request, requestId }) =>
      created(await createCredential(actor, body, originOf(request, requestId))),
  }),
})
