import { requireScope } from '@/lib/auth'
import { ListRemoteFiles } from '@/lib/contracts/gateway'
import { createFile, listFiles } from '@/lib/gateway'
import { methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods(
  {
    GET: route({
      auth: requireScope('gateway'),
      limit: 'gateway',
      dialect: 'openai',
      query: ListRemoteFiles,
      run: ({ actor, query }) => listFiles(actor, query),
    }),
    POST: route({
      auth: requireScope('gateway'),
      limit: 'upload',
      dialect: 'openai',
      run: ({ actor, request }) => createFile(actor, request),
    }),
  },
  'openai',
)
