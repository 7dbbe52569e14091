import { requireScope } from '@/lib/auth'
import { ResponseParams } from '@/lib/contracts/gateway'
import { callResponse } from '@/lib/gateway'
import { methods, route } from '@/lib/http'

const declared = {
  auth: requireScope('gateway'),
  limit: 'gateway',
  dialect: 'openai',
  params: ResponseParams,
} as const

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods(
  {
    GET: route({
      ...declared,
      run: async ({ actor, params, request }) =>
        callResponse(actor, { method: 'GET', id: params.responseId, about: '', request }),
    }),
    DELETE: route({
      ...declared,
      run: async ({ actor, params, request }) =>
        callResponse(actor, { method: 'DELETE', id: params.responseId, about: '', request }),
    }),
  },
  'openai',
)
