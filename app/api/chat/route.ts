import { askInSession, streamAnswer, waitForAnswer } from '@/lib/ask'
import { requireScope } from '@/lib/auth'
import { ChatCall } from '@/lib/contracts/chat-calls'
import { eventStream, methods, ok, route, wantsEvents } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  POST: route({
    auth: requireScope('chat'),
    limit: 'message',
    body: ChatCall,
    run: async ({ actor, body, request, requestId }) => {
      const asked = await askInSession(actor, body, requestId)
      return (body.stream ?? wantsEvents(request))
        ? eventStream(await streamAnswer(asked, request.signal))
        : ok(await waitForAnswer(asked, request.signal))
    },
  }),
})
