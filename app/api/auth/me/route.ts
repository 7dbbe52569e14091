import { requireCaller, toUserRecord } from '@/lib/auth'
import { methods, ok, route } from '@/lib/http'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireCaller,
    run: async ({ actor }) => ok({ user: toUserRecord({ ...actor, id: actor.userId }) }),
  }),
})
