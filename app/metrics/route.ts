import { metricsType, readMetrics, requireMetricsReader } from '@/lib/health'
import { methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireMetricsReader,
    run: async () => new Response(await readMetrics(), { headers: { 'content-type': metricsType } }),
  }),
})
