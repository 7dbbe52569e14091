import { requireScope } from '@/lib/auth'
import { FileParams } from '@/lib/contracts/files'
import { getFileContent } from '@/lib/files'
import { methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('chat'),
    params: FileParams,
    run: ({ actor, params }) => getFileContent(actor, params.fileId),
  }),
})
