import { originOf, requireAdmin, updateUser } from '@/lib/auth'
import { UpdateUser, UserParams } from '@/lib/contracts/admin'
import { methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  PATCH: route({
    auth: requireAdmin,
    params: UserParams,
    body: UpdateUser,
    run: async ({ actor, params, body, request, requestId }) =>
      ok(await updateUser(actor, params.userId, body, originOf(request, requestId))),
  }),
})
