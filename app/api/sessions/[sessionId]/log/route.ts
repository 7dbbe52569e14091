import { requireScope } from '@/lib/auth'
import { ChatSessionParams } from '@/lib/contracts/sessions'
import { methods, route, textStream } from '@/lib/http'
import { downloadHeaders, readSessionLines } from '@/lib/sessions'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    params: ChatSessionParams,
    run: async ({ actor, params: { sessionId } }) =>
      textStream(await readSessionLines(actor, sessionId), downloadHeaders(`${sessionId}.jsonl`)),
  }),
})
