'use client'

import { useActionState, useEffect, useRef } from 'react'
import { Button } from '@/components/ui/button'
import { FailureNote } from '@/components/ui/failure'
import { TextField } from '@/components/ui/field'

export type CredentialsState = {
  /** What was typed, to be shown again; never the password. */
  typed: { email: string; name?: string }
  message?: string
  faults?: { path: string; message: string }[]
  retryAfterSeconds?: number
}

type CredentialsFormProps = {
  purpose: 'sign-in' | 'sign-up'
  /** A path of this site to go to afterwards. */
  next: string
  /** Whom an invitation is for: then the email is given. */
  invited?: { email: string; invitation: string } | undefined
  action: (state: CredentialsState, form: FormData) => Promise<CredentialsState>
}

const words = {
  'sign-in': { submit: 'Sign in', busy: 'Signing in…', password: 'current-password' },
  'sign-up': { submit: 'Create account', busy: 'Creating account…', password: 'new-password' },
} as const

/** Email and password, as password managers know them. Works as a plain form until JavaScript is there. */
export function CredentialsForm({ purpose, next, invited, action }: CredentialsFormProps) {
  const [state, submit, pending] = useActionState(action, { typed: { email: '' } })
  const { submit: verb, busy, password } = words[purpose]
  const passwordRef = useRef<HTMLInputElement>(null)
  // What was refused has to be typed again.
  useEffect(() => {
    if (state.message) passwordRef.current?.focus()
  }, [state])
  const isNew = purpose === 'sign-up'
  const faultOf = (path: string) => state.faults?.find((fault) => fault.path === path)?.message
  return (
    <form action={submit} className="flex flex-col gap-5">
      <input type="hidden" name="next" value={next} />
      {invited ? <input type="hidden" name="invitation" value={invited.invitation} /> : null}
      {state.message ? (
        <FailureNote failure={{ message: state.message, retryAfterSeconds: state.retryAfterSeconds }} />
      ) : null}
      {isNew ? (
        <TextField
          label="Name"
          hint="Optional. How AL-Chat greets you."
          name="name"
          autoComplete="name"
          maxLength={120}
          defaultValue={state.typed.name}
          error={faultOf('name')}
        />
      ) : null}
      <TextField
        label="Email"
        name="email"
        type="email"
        inputMode="email"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        autoFocus={!invited}
        readOnly={invited !== undefined}
        defaultValue={invited?.email ?? state.typed.email}
        error={faultOf('email')}
      />
      <TextField
        ref={passwordRef}
        label="Password"
        hint={isNew ? 'At least 8 characters.' : undefined}
        name="password"
        type="password"
        autoComplete={password}
        required
        minLength={isNew ? 8 : undefined}
        maxLength={1024}
        error={faultOf('password')}
      />
      <Button type="submit" look="primary" size="large" busy={pending} busyLabel={busy}>
        {verb}
      </Button>
    </form>
  )
}
