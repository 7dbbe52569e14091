import { requireScope } from '@/lib/auth'
import { deleteConversation, getConversationView, updateConversation } from '@/lib/chat'
import { ConversationParams, UpdateConversation } from '@/lib/contracts/conversations'
import { methods, noContent, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('chat'),
    params: ConversationParams,
    run: async ({ actor, params }) => ok(await getConversationView(actor, params.conversationId)),
  }),
  PATCH: route({
    auth: requireScope('chat'),
    params: ConversationParams,
    body: UpdateConversation,
    run: async ({ actor, params, body }) => ok(await updateConversation(actor, params.conversationId, body)),
  }),
  DELETE: route({
    auth: requireScope('chat'),
    params: ConversationParams,
    run: async ({ actor, params }) => {
      await deleteConversation(actor, params.conversationId)
      return noContent()
    },
  }),
})
