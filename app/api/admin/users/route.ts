import { listUsers, requireAdmin } from '@/lib/auth'
import { ListUsers } from '@/lib/contracts/admin'
import { methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireAdmin,
    query: ListUsers,
    run: async ({ query }) => ok(await listUsers(query)),
  }),
})
