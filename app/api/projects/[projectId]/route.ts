import { originOf, requireScope } from '@/lib/auth'
import { DeleteProjectQuery, ProjectParams, UpdateProject } from '@/lib/contracts/projects'
import { methods, noContent, ok, route } from '@/lib/http'
import { deleteProject, getProject, updateProject } from '@/lib/projects'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    params: ProjectParams,
    run: async ({ actor, params }) => ok(await getProject(actor, params.projectId)),
  }),
  PATCH: route({
    auth: requireScope('portal:write'),
    params: ProjectParams,
    body: UpdateProject,
    run: async ({ actor, params, body }) => ok(await updateProject(actor, params.projectId, body)),
  }),
  DELETE: route({
    auth: requireScope('portal:write'),
    params: ProjectParams,
    query: DeleteProjectQuery,
    run: async ({ actor, params, query, request, requestId }) => {
      await deleteProject(actor, params.projectId, query, originOf(request, requestId))
      return noContent()
    },
  }),
})
