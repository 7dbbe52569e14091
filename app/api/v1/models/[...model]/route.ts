import { requireScope } from '@/lib/auth'
import { ModelParams } from '@/lib/contracts/gateway'
import { getModel } from '@/lib/gateway'
import { methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods(
  {
    GET: route({
      auth: requireScope('gateway'),
      limit: 'gateway',
      dialect: 'openai',
      params: ModelParams,
      run: ({ actor, params, request }) => getModel(actor, params.model, request),
    }),
  },
  'openai',
)
