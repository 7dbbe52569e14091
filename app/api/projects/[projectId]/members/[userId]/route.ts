import { originOf, requireScope } from '@/lib/auth'
import { MemberParams, UpdateMember } from '@/lib/contracts/projects'
import { methods, noContent, ok, route } from '@/lib/http'
import { removeMember, updateMember } from '@/lib/projects'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  PATCH: route({
    auth: requireScope('portal:write'),
    params: MemberParams,
    body: UpdateMember,
    run: async ({ actor, params, body, request, requestId }) =>
      ok(await updateMember(actor, params, body, originOf(request, requestId))),
  }),
  DELETE: route({
    auth: requireScope('portal:write'),
    params: MemberParams,
    run: async ({ actor, params, request, requestId }) => {
      await removeMember(actor, params, originOf(request, requestId))
      return noContent()
    },
  }),
})
