'use server'

import { cookies, headers } from 'next/headers'
import { redirect } from 'next/navigation'
import type { CredentialsState } from '@/components/account/credentials-form'
import { login, pageOrigin, register, sessionCookie } from '@/lib/auth'
import { Login, Register, type SignedIn, safeReturnPath } from '@/lib/contracts/accounts'
import { asAppError } from '@/lib/errors'
import { logUnexpected } from '@/lib/http'

/*
 * The forms post here, with or without JavaScript; programs use /api/auth.
 * Both call the same two functions.
 */

const readText = (form: FormData, name: string) => {
  const value = form.get(name)
  return typeof value === 'string' ? value : ''
}

/** Signs in from the form; on success the browser goes on to where it wanted to be. */
export async function signIn(_: CredentialsState, form: FormData): Promise<CredentialsState> {
  const email = readText(form, 'email')
  const input = Login.safeParse({ email, password: readText(form, 'password') })
  if (!input.success) return refuse({ email }, input.error.issues)
  return enter(form, { email }, async () => login(input.data, await pageOrigin()))
}

/** Makes an account from the form and signs in. */
export async function signUp(_: CredentialsState, form: FormData): Promise<CredentialsState> {
  const email = readText(form, 'email')
  const name = readText(form, 'name')
  const input = Register.safeParse({
    email,
    password: readText(form, 'password'),
    name: name.trim() === '' ? undefined : name,
    invitation: readText(form, 'invitation') || undefined,
  })
  if (!input.success) return refuse({ email, name }, input.error.issues)
  return enter(form, { email, name }, async () => register(input.data, await pageOrigin()))
}

type Typed = { email: string; name?: string }

function refuse(typed: Typed, issues: { path: PropertyKey[]; message: string }[]): CredentialsState {
  const faults = issues.map(({ path, message }) => ({ path: path.join('.'), message }))
  return { typed, faults }
}

async function enter(form: FormData, typed: Typed, open: () => Promise<SignedIn>): Promise<CredentialsState> {
  try {
    await keepSignedIn(await open())
  } catch (error) {
    logUnexpected(error, null)
    const { message, issues, retryAfterSeconds } = asAppError(error)
    const wait = retryAfterSeconds === undefined ? undefined : Math.ceil(retryAfterSeconds)
    return { typed, message, faults: issues, retryAfterSeconds: wait }
  }
  redirect(safeReturnPath(readText(form, 'next')))
}

/** A page cannot send a `set-cookie` line of its own, so the line is taken apart again. */
async function keepSignedIn({ token, expires_at }: SignedIn): Promise<void> {
  const line = sessionCookie({ headers: new Headers(await headers()) }, token, expires_at)
  const name = line.slice(0, line.indexOf('='))
  const jar = await cookies()
  jar.set(name, token, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: /;\s*secure/i.test(line),
    expires: new Date(expires_at),
  })
}
