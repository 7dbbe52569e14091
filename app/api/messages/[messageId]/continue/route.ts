import { requireScope } from '@/lib/auth'
import { continueMessage } from '@/lib/chat'
import { ContinueMessage, MessageParams } from '@/lib/contracts/conversations'
import { accepted, methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireScope('chat'),
    limit: 'message',
    params: MessageParams,
    body: ContinueMessage,
    run: async ({ actor, params, body, requestId }) =>
      accepted(await continueMessage(actor, params.messageId, body, requestId)),
  }),
})
