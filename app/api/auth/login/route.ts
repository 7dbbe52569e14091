import { login, originOf, sessionCookie } from '@/lib/auth'
import { Login } from '@/lib/contracts/accounts'
import { anyone, methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: anyone,
    body: Login,
    run: async ({ body, request, requestId }) => {
      const signedIn = await login(body, originOf(request, requestId))
      return ok(signedIn, { 'set-cookie': sessionCookie(request, signedIn.token, signedIn.expires_at) })
    },
  }),
})
