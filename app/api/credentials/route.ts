import { originOf, requireUser } from '@/lib/auth'
import { CreateCredential } from '@/lib/contracts/credentials'
import { created, methods, ok, route } from '@/lib/http'
import { createCredential, listCredentials } from '@/lib/vault'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireUser,
    run: async ({ actor }) => ok({ items: await listCredentials(actor), next_cursor: null }),
  }),
  POST: route({
    auth: requireUser,
    body: CreateCredential,
    run: async ({ actor, body, request, requestId }) =>
      created(await createCredential(actor, body, originOf(request, requestId))),
  }),
})
