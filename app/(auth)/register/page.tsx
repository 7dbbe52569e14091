import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { CredentialsForm } from '@/components/account/credentials-form'
import { findPageActor } from '@/lib/auth'
import { safeReturnPath } from '@/lib/contracts/accounts'
import { signUp } from '../actions'

export const metadata: Metadata = { title: 'Create account' }

type Props = { searchParams: Promise<{ next?: string | string[] }> }

export default async function Page({ searchParams }: Props) {
  const { next } = await searchParams
  const path = safeReturnPath(typeof next === 'string' ? next : null)
  if (await findPageActor()) redirect(path)
  return (
    <>
      <h1 className="sr-only">Create account</h1>
      <CredentialsForm purpose="sign-up" next={path} action={signUp} />
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
