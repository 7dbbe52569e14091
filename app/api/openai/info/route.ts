import { requireScope } from '@/lib/auth'
import { describeProvider } from '@/lib/health'
import { methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    run: async ({ actor }) => ok(await describeProvider(actor)),
  }),
})
