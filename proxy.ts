import { type NextRequest, NextResponse } from 'next/server'

/** The one path that is both a page and, for the clients of an older service, a call. Nothing else comes by here. */
export const config = { matcher: '/chat' }

/** Leads `POST /chat` to the call; who may make it, the call itself asks. The page's own actions stay with the page. */
export function proxy(request: NextRequest): NextResponse {
  const isCall = request.method === 'POST' && !request.headers.has('next-action')
  return isCall ? NextResponse.rewrite(new URL('/api/chat', request.url)) : NextResponse.next()
}
