import { changePassword, originOf, requireUser } from '@/lib/auth'
import { ChangePassword } from '@/lib/contracts/accounts'
import { methods, noContent, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireUser,
    body: ChangePassword,
    run: async ({ actor, body, request, requestId }) => {
      await changePassword(actor, body, originOf(request, requestId))
      return noContent()
    },
  }),
})
