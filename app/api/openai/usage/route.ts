import { requireScope } from '@/lib/auth'
import { UsageQuery } from '@/lib/contracts/usage'
import { methods, ok, route } from '@/lib/http'
import { summarizeUsage } from '@/lib/usage'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    query: UsageQuery,
    run: async ({ actor, query }) => ok(await summarizeUsage(actor, query)),
  }),
})
