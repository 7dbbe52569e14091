import { requireScope } from '@/lib/auth'
import { ResponseParams } from '@/lib/contracts/gateway'
import { callResponse } from '@/lib/gateway'
import { methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods(
  {
    GET: route({
      auth: requireScope('gateway'),
      limit: 'gateway',
      dialect: 'openai',
      params: ResponseParams,
      run: async ({ actor, params, request }) =>
        callResponse(actor, { method: 'GET', id: params.responseId, about: '/input_items', request }),
    }),
  },
  'openai',
)
