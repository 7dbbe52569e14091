import { requireScope } from '@/lib/auth'
import { listModels } from '@/lib/gateway'
import { methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods(
  {
    GET: route({
      auth: requireScope('gateway'),
      limit: 'gateway',
      dialect: 'openai',
      run: ({ actor }) => listModels(actor),
    }),
  },
  'openai',
)
