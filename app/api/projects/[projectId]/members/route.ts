import { originOf, requireScope } from '@/lib/auth'
import { Page } from '@/lib/contracts/primitives'
import { AddMember, ProjectParams } from '@/lib/contracts/projects'
import { created, methods, ok, route } from '@/lib/http'
import { addMember, listMembers } from '@/lib/projects'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    params: ProjectParams,
    query: Page,
    run: async ({ actor, params, query }) => ok(await listMembers(actor, params.projectId, query)),
  }),
  POST: route({
    auth: requireScope('portal:write'),
    params: ProjectParams,
    body: AddMember,
    run: async ({ actor, params, body, request, requestId }) =>
      created(await addMember(actor, params.projectId, body, originOf(request, requestId))),
  }),
})
