import { originOf, requireAdmin, revokeInvitation } from '@/lib/auth'
import { InvitationParams } from '@/lib/contracts/admin'
import { methods, noContent, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  DELETE: route({
    auth: requireAdmin,
    params: InvitationParams,
    run: async ({ actor, params, request, requestId }) => {
      await revokeInvitation(actor, params.invitationId, originOf(request, requestId))
      return noContent()
    },
  }),
})
