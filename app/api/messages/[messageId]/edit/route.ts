import { requireScope } from '@/lib/auth'
import { editMessage } from '@/lib/chat'
import { EditMessage, MessageParams } from '@/lib/contracts/conversations'
import { accepted, methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireScope('chat'),
    limit: 'message',
    params: MessageParams,
    body: EditMessage,
    run: async ({ actor, params, body, requestId }) =>
      accepted(await editMessage(actor, params.messageId, body, requestId)),
  }),
})
