'use client'

import { useRouter } from 'next/navigation'
import type { FormEvent } from 'react'
import { Button } from '@/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '@/components/ui/dialog'
import { FailureNote } from '@/components/ui/failure'
import { Field, TextField } from '@/components/ui/field'
import { request } from '@/components/ui/request'
import { notify } from '@/components/ui/toast'
import { useSubmit } from '@/components/ui/use-submit'
import type { CredentialRecord, CredentialView } from '@/lib/contracts/credentials'
import { sayAddress, sayKey } from './credential-words'
import { ExpiryField, readExpiry } from './expiry-field'
import { SecretInput, useSecret } from './secret-input'

type Window = { credential: CredentialView; open: boolean; onOpenChange: (open: boolean) => void }
type ReplaceProps = { onReplaced: (key: CredentialRecord) => void }

/** Puts another key in the place of this one, at the same address. */
export function ReplaceKeyDialog({ credential, open, onOpenChange, onReplaced }: Window & ReplaceProps) {
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title={`Replace the ${sayKey(credential)}`}
      description={`The new key goes to ${sayAddress(credential.baseUrl)}, as the old one did. The old one is gone at once.`}
    >
      <ReplaceKeyForm credential={credential} close={() => onOpenChange(false)} onReplaced={onReplaced} />
    </Dialog>
  )
}

type FormProps = { credential: CredentialView; close: () => void }

function ReplaceKeyForm({ credential, close, onReplaced }: FormProps & ReplaceProps) {
  const router = useRouter()
  const secret = useSecret()
  const { busy, failure, submit } = useSubmit()

  async function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    await submit(async () => {
      const replaced = await request<CredentialRecord>('PUT', `/api/credentials/${credential.id}`, {
        credentials: { api_key: secret.read() },
        expiresAt: readExpiry(form),
      })
      secret.wipe()
      close()
      onReplaced(replaced)
      router.refresh()
    })
  }

  return (
    <form onSubmit={save} autoComplete="off">
      <DialogBody>
        {failure && failure.issues.length === 0 ? <FailureNote failure={failure} /> : null}
        <Field label="New key" error={failure?.issueOf('credentials.api_key')}>
          {(wiring) => <SecretInput ref={secret.ref} {...wiring} />}
        </Field>
        <ExpiryField error={failure?.issueOf('expiresAt')} />
      </DialogBody>
      <DialogActions>
        <Button look="ghost" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" look="primary" busy={busy} busyLabel="Sealing…">
          Replace key
        </Button>
      </DialogActions>
    </form>
  )
}

/** Changes what is said of a key: its label and its last day. The key itself stays. */
export function EditKeyDialog({ credential, open, onOpenChange }: Window) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={`Edit the ${sayKey(credential)}`}>
      <EditKeyForm credential={credential} close={() => onOpenChange(false)} />
    </Dialog>
  )
}

function EditKeyForm({ credential, close }: FormProps) {
  const router = useRouter()
  const { busy, failure, submit } = useSubmit()

  async function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const label = String(form.get('label') ?? '').trim() || null
    const expiresAt = readExpiry(form)
    await submit(async () => {
      await request('PUT', `/api/credentials/${credential.id}`, {
        label,
        // A day that has passed is not asked for again.
        ...(expiresAt?.slice(0, 10) !== credential.expiresAt?.slice(0, 10) && { expiresAt }),
      })
      notify({ title: 'Saved' })
      router.refresh()
      close()
    })
  }

  return (
    <form onSubmit={save} autoComplete="off">
      <DialogBody>
        {failure && failure.issues.length === 0 ? <FailureNote failure={failure} /> : null}
        <TextField
          label="Label"
          name="label"
          maxLength={120}
          defaultValue={credential.label ?? ''}
          hint="Optional. What you call it."
          error={failure?.issueOf('label')}
        />
        <ExpiryField value={credential.expiresAt} error={failure?.issueOf('expiresAt')} />
      </DialogBody>
      <DialogActions>
        <Button look="ghost" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" look="primary" busy={busy}>
          Save
        </Button>
      </DialogActions>
    </form>
  )
}
