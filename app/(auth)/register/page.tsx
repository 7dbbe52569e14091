import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { CredentialsForm } from '@/components/account/credentials-form'
import { findInvitation, findPageActor } from '@/lib/auth'
import { safeReturnPath } from '@/lib/contracts/accounts'
import { signUp } from '../actions'

export const metadata: Metadata = { title: 'Create account' }

type Props = { searchParams: Promise<{ next?: string | string[]; invitation?: string | string[] }> }

export default async function Page({ searchParams }: Props) {
  const { next, invitation } = await searchParams
  const path = safeReturnPath(typeof next === 'string' ? next : null)
  if (await findPageActor()) redirect(path)
  const token = typeof invitation === 'string' ? invitation : ''
  const invited = token === '' ? null : await findInvitation(token)
  return (
    <>
      <h1 className="sr-only">Create account</h1>
      {token !== '' && !invited ? (
        <p role="alert" className="text-ui text-warn">
          This invitation serves no more: it was used, taken back, or is older than seven days. Ask for a new
          one.
        </p>
      ) : null}
      <CredentialsForm
        purpose="sign-up"
        next={path}
        invited={invited ? { email: invited.email, invitation: token } : undefined}
        action={signUp}
      />
      <p className="text-ink-soft text-ui">
        Have an account?{' '}
        <a
          href={`/login?next=${encodeURIComponent(path)}`}
          className="font-medium text-accent hover:underline"
        >
          Sign in
        </a>
      </p>
    </>
  )
}
