import { requireScope } from '@/lib/auth'
import { DayQuery } from '@/lib/contracts/sessions'
import { methods, route, textStream } from '@/lib/http'
import { downloadHeaders, readDayLog } from '@/lib/sessions'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    limit: 'export',
    query: DayQuery,
    run: async ({ actor, query: { day } }) =>
      textStream(await readDayLog(actor, day), downloadHeaders(`session_${day}.log`)),
  }),
})
