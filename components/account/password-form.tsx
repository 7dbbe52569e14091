'use client'

import { type FormEvent, useRef } from 'react'
import { Button } from '@/components/ui/button'
import { FailureNote } from '@/components/ui/failure'
import { TextField } from '@/components/ui/field'
import { request } from '@/components/ui/request'
import { notify } from '@/components/ui/toast'
import { useSubmit } from '@/components/ui/use-submit'

/** Changes the password; every other device is signed out by that. */
export function PasswordForm({ email }: { email: string }) {
  const formRef = useRef<HTMLFormElement>(null)
  const { busy, failure, submit } = useSubmit()

  async function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    await submit(async () => {
      await request('POST', '/api/auth/password', { current: form.get('current'), next: form.get('next') })
      formRef.current?.reset()
      notify({ title: 'Password changed', description: 'Other devices were signed out.' })
    })
  }

  return (
    <form ref={formRef} onSubmit={save} className="flex flex-col gap-4">
      {failure && failure.issues.length === 0 ? <FailureNote failure={failure} /> : null}
      <input type="text" name="username" autoComplete="username" defaultValue={email} readOnly hidden />
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          label="Current password"
          name="current"
          type="password"
          autoComplete="current-password"
          required
          maxLength={1024}
          error={failure?.issueOf('current')}
        />
        <TextField
          label="New password"
          hint="At least 8 characters."
          name="next"
          type="password"
          autoComplete="new-password"
          required
          minLength={8}
          maxLength={1024}
          error={failure?.issueOf('next')}
        />
      </div>
      <Button type="submit" busy={busy} className="self-start">
        Change password
      </Button>
    </form>
  )
}
