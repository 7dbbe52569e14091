import { requireScope } from '@/lib/auth'
import { stopAnswer } from '@/lib/chat'
import { ReplyParams } from '@/lib/contracts/conversations'
import { accepted, methods, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  DELETE: route({
    auth: requireScope('chat'),
    params: ReplyParams,
    run: async ({ actor, params }) => {
      await stopAnswer(actor, params.replyId)
      return accepted({ id: params.replyId })
    },
  }),
})
