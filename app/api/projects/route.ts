import { requireScope } from '@/lib/auth'
import { Page } from '@/lib/contracts/primitives'
import { CreateProject } from '@/lib/contracts/projects'
import { created, methods, ok, route } from '@/lib/http'
import { createProject, listProjects } from '@/lib/projects'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    query: Page,
    run: async ({ actor, query }) => ok(await listProjects(actor, query)),
  }),
  POST: route({
    auth: requireScope('portal:write'),
    body: CreateProject,
    run: async ({ actor, body }) => created(await createProject(actor, body)),
  }),
})
