import { createKey, listKeys, originOf, requireUser } from '@/lib/auth'
import { CreateKey } from '@/lib/contracts/keys'
import { Page } from '@/lib/contracts/primitives'
import { created, methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireUser,
    query: Page,
    run: async ({ actor, query }) => ok(await listKeys(actor, query)),
  }),
  POST: route({
    auth: requireUser,
    body: CreateKey,
    run: async ({ actor, body, request, requestId }) =>
      created(await createKey(actor, body, originOf(request, requestId))),
  }),
})
