/** The session cookie's names: over https with the prefix that binds it to this host, and without over http. */
export const cookieNames = ['__Host-al_session', 'al_session'] as const

const maxTokenLength = 2048

/** The token that a request carries: `Authorization: Bearer`, else the session cookie. A key in a header wins. */
export function readToken(request: { headers: Headers }): string | null {
  const authorization = request.headers.get('authorization')
  if (authorization !== null) {
    const [scheme = '', token = ''] = authorization.trim().split(/\s+/, 2)
    return scheme.toLowerCase() === 'bearer' ? boundToken(token) : null
  }
  const jar = parseCookies(request.headers.get('cookie') ?? '')
  return readCookieToken((name) => jar.get(name))
}

/** The token in the session cookie, whichever of its names it came under. */
export function readCookieToken(read: (name: string) => string | undefined): string | null {
  for (const name of cookieNames) {
    const token = boundToken(read(name) ?? '')
    if (token) return token
  }
  return null
}

function boundToken(token: string): string | null {
  return token !== '' && token.length <= maxTokenLength ? token : null
}

function parseCookies(header: string): Map<string, string> {
  const pairs = header.split(';').map((pair) => {
    const [name = '', ...value] = pair.split('=')
    return [name.trim(), value.join('=').trim()] as const
  })
  return new Map(pairs)
}
