import { requireScope } from '@/lib/auth'
import { followAnswer } from '@/lib/chat'
import { FollowReply, ReplyParams } from '@/lib/contracts/conversations'
import { eventStream, lastEventId, methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('chat'),
    params: ReplyParams,
    query: FollowReply,
    run: async ({ actor, params, query, request }) =>
      eventStream(await followAnswer(actor, params.replyId, lastEventId(request) ?? query.after ?? -1)),
  }),
})
