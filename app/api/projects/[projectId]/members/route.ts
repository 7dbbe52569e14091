import { originOf, requireUser } from '@/lib/auth'
import { Page } from '@/lib/contracts/primitives'
import { AddMember, ProjectParams } from '@/lib/contracts/projects'
import { created, methods, ok, route } from '@/lib/http'
import { addMember, listMembers } from '@/lib/projects'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireUser,
    params: ProjectParams,
    query: Page,
    run: async ({ actor, params, query }) => ok(await listMembers(actor, params.projectId, query)),
  }),
  POST: route({
    auth: requireUser,
    params: ProjectParams,
    body: AddMember,
    run: async ({ actor, params, body, request, requestId }) =>
      created(await addMember(actor, params.projectId, body, originOf(request, requestId))),
  }),
})
