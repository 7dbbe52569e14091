import { requireScope } from '@/lib/auth'
import { UsageQuery } from '@/lib/contracts/usage'
import { methods, route, textStream } from '@/lib/http'
import { exportUsage } from '@/lib/usage'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    limit: 'export',
    query: UsageQuery,
    run: async ({ actor, query }) => {
      const day = new Date().toISOString().slice(0, 10)
      return textStream(await exportUsage(actor, query), {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': `attachment; filename="al-chat-usage-${day}.csv"`,
      })
    },
  }),
})
