import { requireScope } from '@/lib/auth'
import { regenerateMessage } from '@/lib/chat'
import { MessageParams, RegenerateMessage } from '@/lib/contracts/conversations'
import { accepted, methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireScope('chat'),
    limit: 'message',
    params: MessageParams,
    body: RegenerateMessage,
    run: async ({ actor, params, body, requestId }) =>
      accepted(await regenerateMessage(actor, params.messageId, body, requestId)),
  }),
})
