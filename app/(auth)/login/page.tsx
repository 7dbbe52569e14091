import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { CredentialsForm } from '@/components/account/credentials-form'
import { findPageActor } from '@/lib/auth'
import { safeReturnPath } from '@/lib/contracts/accounts'
import { signIn } from '../actions'

export const metadata: Metadata = { title: 'Sign in' }

type Props = { searchParams: Promise<{ next?: string | string[] }> }

export default async function Page({ searchParams }: Props) {
  const { next } = await searchParams
  const path = safeReturnPath(typeof next === 'string' ? next : null)
  if (await findPageActor()) redirect(path)
  return (
    <>
      <h1 className="sr-only">Sign in</h1>
      <CredentialsForm purpose="sign-in" next={path} action={signIn} />
      <p className="text-ink-soft text-ui">
        New here?{' '}
        <a
          href={`/register?next=${encodeURIComponent(path)}`}
          className="font-medium text-accent hover:underline"
        >
          Create an account
        </a>
      </p>
    </>
  )
}
