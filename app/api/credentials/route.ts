import { originOf, requireScope } from '@/lib/auth'
import { CreateCredential, FindCredentials } from '@/lib/contracts/credentials'
import { created, methods, ok, route } from '@/lib/http'
import { createCredential, pageCredentials, revealCredential } from '@/lib/vault'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read', 'credentials:read'),
    query: FindCredentials,
    // Whoever lists gets all, masked; a program that may read keys gets the one key that it asks for.
    run: async ({ actor, query, request, requestId }) =>
      actor.scopes?.includes('credentials:read')
        ? ok(await revealCredential(actor, query, originOf(request, requestId)))
        : ok(await pageCredentials(actor, query)),
  }),
  POST: route({
    auth: requireScope('portal:write'),
    body: CreateCredential,
    run: async ({ actor, body, request, requestId }) =>
      created(await createCredential(actor, body, originOf(request, requestId))),
  }),
})
