import { readHealth } from '@/lib/health'
import { anyone, methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: anyone,
    run: async () => {
      const health = await readHealth()
      return Response.json(health, { status: health.checks.database.status === 'down' ? 503 : 200 })
    },
  }),
})
