import { requireScope } from '@/lib/auth'
import { RemoteFileParams } from '@/lib/contracts/gateway'
import { getFileContent } from '@/lib/gateway'
import { methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods(
  {
    GET: route({
      auth: requireScope('gateway'),
      limit: 'gateway',
      dialect: 'openai',
      params: RemoteFileParams,
      run: ({ actor, params, request }) => getFileContent(actor, params.fileId, request),
    }),
  },
  'openai',
)
