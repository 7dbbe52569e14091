import { enterByTicket, isPassingBy, originOf, sessionCookie } from '@/lib/auth'
import { asAppError } from '@/lib/errors'
import { anyone, methods, route } from '@/lib/http'
import { deadPage, waitingPage } from './pages'

// Of all that the address says, only the ticket is read: where it leads to is kept with it.
const ticketIn = (request: Request) => new URL(request.url).searchParams.get('ticket')?.slice(0, 200) ?? ''

async function enter(request: Request, requestId: string): Promise<Response> {
  try {
    const entered = await enterByTicket(ticketIn(request), request, originOf(request, requestId))
    const cookie = sessionCookie(request, entered.token, entered.expires_at)
    return new Response(null, { status: 303, headers: { location: entered.path, 'set-cookie': cookie } })
  } catch (error) {
    if (asAppError(error).code === 'unauthenticated') return deadPage()
    throw error
  }
}

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: anyone,
    run: async ({ request, requestId }) =>
      isPassingBy(request) ? waitingPage(ticketIn(request)) : enter(request, requestId),
  }),
  POST: route({ auth: anyone, run: async ({ request, requestId }) => enter(request, requestId) }),
})
