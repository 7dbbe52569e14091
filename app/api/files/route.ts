import { requireScope } from '@/lib/auth'
import { ListFiles } from '@/lib/contracts/files'
import { listFiles } from '@/lib/files'
import { methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('chat'),
    query: ListFiles,
    run: async ({ actor, query }) => ok(await listFiles(actor, query)),
  }),
})
