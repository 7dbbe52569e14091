import { z } from 'zod'
import { Id, line } from './primitives'

/** The token of an invitation: 32 random bytes in base64url. */
const InvitationToken = z.string().regex(/^[\w-]{43}$/, 'This is not an invitation.')

/** In lower case, as it is kept. */
export const Email = z
  .string()
  .trim()
  .max(254, 'At most 254 characters.')
  .transform((email) => email.toLowerCase())
  .pipe(z.email('Enter an email address, such as ada@example.com.'))

const Password = z.string().min(8, 'At least 8 characters.').max(1024, 'At most 1024 characters.')

/** Who comes by an invitation need not say the email again: it is the one that was invited. */
export const Register = z
  .strictObject({
    email: Email.optional(),
    password: Password,
    name: line(120).optional(),
    invitation: InvitationToken.optional(),
  })
  .superRefine(({ email, invitation }, context) => {
    if (email !== undefined || invitation !== undefined) return
    context.addIssue({ code: 'custom', path: ['email'], message: 'Enter your email address.' })
  })
export type Register = z.infer<typeof Register>

/** `username` is the name that older clients use for the same thing. What is wrong about it is never said. */
export const Login = z
  .strictObject({
    email: z.string().max(254).optional(),
    username: z.string().max(254).optional(),
    password: z.string().max(1024),
  })
  .transform(({ email, username, password }) => ({
    // What the database cannot look for is nobody's email; with U+FFFD it is that still, and can be looked for.
    email: (email ?? username ?? '').trim().toLowerCase().toWellFormed().replaceAll('\u0000', '\ufffd'),
    password,
  }))
  .refine(({ email }) => email !== '', { path: ['email'], message: 'Enter your email address.' })
export type Login = z.output<typeof Login>

export const AccessKey = z.strictObject({ access_key: z.string().max(4096) })

export type AccessToken = { token: string; token_type: 'bearer'; expires_at: string }

export const ChangePassword = z.strictObject({ current: z.string().max(1024), next: Password })
export type ChangePassword = z.infer<typeof ChangePassword>

export const SessionParams = z.strictObject({ sessionId: Id })

export const Role = z.enum(['admin', 'member'])
export type Role = z.infer<typeof Role>

export type UserRecord = { id: string; email: string; username: string; name: string | null; role: Role }

export type SignedIn = { user: UserRecord; token: string; expires_at: string }

export type SessionRecord = {
  id: string
  current: boolean
  user_agent: string | null
  ip: string | null
  created_at: string
  last_seen_at: string
  expires_at: string
}

/** The path to go to after signing in: one of this site, else the dashboard. */
export function safeReturnPath(path: string | null | undefined): string {
  const home = '/dashboard'
  if (!path || path.length > 2000 || !/^\/(?![/\\])/.test(path)) return home
  const target = URL.canParse(path, 'http://here') ? new URL(path, 'http://here') : null
  // A path such as `/\t/evil.example` is another site once the browser has dropped the control character.
  if (target?.origin !== 'http://here' || /\p{Cc}|\\/u.test(path)) return home
  // What is returned is what was looked at: `/.//evil.example` is `//evil.example` to the one who goes there.
  if (/^\/(\/|login|register)/.test(target.pathname)) return home
  return target.pathname + target.search + target.hash
}
