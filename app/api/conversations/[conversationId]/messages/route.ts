import { requireScope } from '@/lib/auth'
import { sendMessage } from '@/lib/chat'
import { ConversationParams, SendMessage } from '@/lib/contracts/conversations'
import { accepted, methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireScope('chat'),
    limit: 'message',
    params: ConversationParams,
    body: SendMessage,
    run: async ({ actor, params, body, requestId }) =>
      accepted(await sendMessage(actor, params.conversationId, body, requestId)),
  }),
})
