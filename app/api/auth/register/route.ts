import { originOf, register, sessionCookie } from '@/lib/auth'
import { Register } from '@/lib/contracts/accounts'
import { anyone, created, methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: anyone,
    body: Register,
    run: async ({ body, request, requestId }) => {
      const signedIn = await register(body, originOf(request, requestId))
      return created(signedIn, { 'set-cookie': sessionCookie(request, signedIn.token, signedIn.expires_at) })
    },
  }),
})
