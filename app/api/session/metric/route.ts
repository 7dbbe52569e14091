import { requireScope } from '@/lib/auth'
import { RecordMetrics } from '@/lib/contracts/sessions'
import { methods, ok, route } from '@/lib/http'
import { recordMetrics } from '@/lib/sessions'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireScope('chat'),
    body: RecordMetrics,
    run: async ({ actor, body }) => ok(await recordMetrics(actor, body)),
  }),
})
