import { requireScope } from '@/lib/auth'
import { callModel } from '@/lib/gateway'
import { methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods(
  {
    POST: route({
      auth: requireScope('gateway'),
      limit: 'gateway',
      dialect: 'openai',
      run: async ({ actor, request }) => callModel(actor, { path: '/responses/compact', request }),
    }),
  },
  'openai',
)
