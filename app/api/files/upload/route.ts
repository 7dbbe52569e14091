import { requireScope } from '@/lib/auth'
import { uploadFile } from '@/lib/files'
import { created, methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireScope('chat'),
    limit: 'upload',
    run: async ({ actor, request }) => created(await uploadFile(actor, request)),
  }),
})
