import { requireScope } from '@/lib/auth'
import { ModelParams } from '@/lib/contracts/gateway'
import { forward } from '@/lib/gateway'
import { methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods(
  {
    GET: route({
      auth: requireScope('gateway'),
      limit: 'gateway',
      dialect: 'openai',
      params: ModelParams,
      run: async ({ actor, params, request }) =>
        forward(actor, { method: 'GET', path: `/models/${params.model}`, request }),
    }),
  },
  'openai',
)
