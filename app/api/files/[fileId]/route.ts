import { requireScope } from '@/lib/auth'
import { FileParams } from '@/lib/contracts/files'
import { deleteFile, getFile } from '@/lib/files'
import { methods, noContent, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('chat'),
    params: FileParams,
    run: async ({ actor, params }) => ok(await getFile(actor, params.fileId)),
  }),
  DELETE: route({
    auth: requireScope('chat'),
    params: FileParams,
    run: async ({ actor, params }) => {
      await deleteFile(actor, params.fileId)
      return noContent()
    },
  }),
})
