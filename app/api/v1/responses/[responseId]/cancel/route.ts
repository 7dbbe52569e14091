import { requireScope } from '@/lib/auth'
import { ResponseParams } from '@/lib/contracts/gateway'
import { callResponse } from '@/lib/gateway'
import { methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods(
  {
    POST: route({
      auth: requireScope('gateway'),
      limit: 'gateway',
      dialect: 'openai',
      params: ResponseParams,
      run: async ({ actor, params, request }) =>
        callResponse(actor, { method: 'POST', id: params.responseId, about: '/cancel', request }),
    }),
  },
  'openai',
)
