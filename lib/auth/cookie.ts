import { isHttps } from '../http'
import { cookieNames } from './token-source'

/** The `set-cookie` value that keeps a browser signed in until then. */
export function sessionCookie(request: { headers: Headers }, token: string, expiresAt: string): string {
  return `${nameFor(request)}=${token}; ${attributes(request)}; Expires=${new Date(expiresAt).toUTCString()}`
}

/** The `set-cookie` value that signs a browser out. */
export function clearedCookie(request: { headers: Headers }): string {
  return `${nameFor(request)}=; ${attributes(request)}; Max-Age=0`
}

function nameFor(request: { headers: Headers }): string {
  return isHttps(request) ? cookieNames[0] : cookieNames[1]
}

function attributes(request: { headers: Headers }): string {
  return `Path=/; HttpOnly; SameSite=Lax${isHttps(request) ? '; Secure' : ''}`
}
