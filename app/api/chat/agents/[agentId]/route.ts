import { askAgent, streamAnswer } from '@/lib/ask'
import { requireScope } from '@/lib/auth'
import { AgentChatCall } from '@/lib/contracts/chat-calls'
import { AgentParams } from '@/lib/contracts/projects'
import { eventStream, methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireScope('chat'),
    limit: 'message',
    params: AgentParams,
    body: AgentChatCall,
    run: async ({ actor, params, body, request, requestId }) => {
      const asked = await askAgent(actor, params.agentId, body, requestId)
      const always = { conversation_id: asked.conversationId }
      return eventStream(await streamAnswer(asked, request.signal, { always, lastText: '' }))
    },
  }),
})
