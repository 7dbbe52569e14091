import { listAudit } from '@/lib/audit'
import { requireUser } from '@/lib/auth'
import { AuditQuery } from '@/lib/contracts/audit'
import { methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireUser,
    query: AuditQuery,
    run: async ({ actor, query }) => ok(await listAudit(actor, query)),
  }),
})
