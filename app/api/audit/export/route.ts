import { exportAudit } from '@/lib/audit'
import { originOf, requireUser } from '@/lib/auth'
import { AuditFilter } from '@/lib/contracts/audit'
import { methods, route, textStream } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireUser,
    limit: 'export',
    query: AuditFilter,
    run: async ({ query, request, requestId }) => {
      const pieces = await exportAudit(() => requireUser(request), query, originOf(request, requestId))
      const day = new Date().toISOString().slice(0, 10)
      return textStream(pieces, {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': `attachment; filename="al-chat-audit-${day}.csv"`,
      })
    },
  }),
})
