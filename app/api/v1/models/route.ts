import { requireScope } from '@/lib/auth'
import { forward } from '@/lib/gateway'
import { methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods(
  {
    GET: route({
      auth: requireScope('gateway'),
      limit: 'gateway',
      dialect: 'openai',
      run: async ({ actor, request }) => forward(actor, { method: 'GET', path: '/models', request }),
    }),
  },
  'openai',
)
