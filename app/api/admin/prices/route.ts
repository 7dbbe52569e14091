import { originOf, requireUser } from '@/lib/auth'
import { SetPrice } from '@/lib/contracts/usage'
import { methods, noContent, ok, route } from '@/lib/http'
import { listPrices, setPrice } from '@/lib/usage'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireUser,
    run: async ({ actor }) => ok(await listPrices(actor)),
  }),
  PUT: route({
    auth: requireUser,
    body: SetPrice,
    run: async ({ actor, body, request, requestId }) => {
      await setPrice(actor, body, originOf(request, requestId))
      return noContent()
    },
  }),
})
