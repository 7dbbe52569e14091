'use client'

import { useRouter } from 'next/navigation'
import { type ComponentProps, type FormEvent, useRef, useState } from 'react'
import { Button } from '@/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '@/components/ui/dialog'
import { FailureNote } from '@/components/ui/failure'
import { Field, Input, TextField } from '@/components/ui/field'
import { request } from '@/components/ui/request'
import { Select } from '@/components/ui/select'
import { notify } from '@/components/ui/toast'
import { useSubmit } from '@/components/ui/use-submit'
import type { CredentialRecord } from '@/lib/contracts/credentials'
import { sayAddress, sayKey } from './credential-words'

export type ProjectChoice = { id: string; name: string; isOwn: boolean }

type KeyFormProps = { close: () => void; projects: ProjectChoice[]; mayServeEveryone: boolean }
type KeyDialogProps = Omit<KeyFormProps, 'close'> & { open: boolean; onOpenChange: (open: boolean) => void }

/** Adds a key. It is sent once, sealed, and can never be read again. */
export function AddKeyDialog({ open, onOpenChange, ...rest }: KeyDialogProps) {
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="Add key"
      description="It is sealed on the server. From then on only its last four characters are shown."
    >
      <AddKeyForm close={() => onOpenChange(false)} {...rest} />
    </Dialog>
  )
}

/** What is typed into the secret's input leaves the page with the request and is not kept anywhere. */
function takeSecret(input: HTMLInputElement | null): string {
  const secret = input?.value.trim() ?? ''
  if (input) input.value = ''
  return secret
}

/** No React state, no name and no form data: the secret lives in the element alone. */
function SecretInput(props: ComponentProps<'input'>) {
  return (
    <Input
      {...props}
      type="password"
      autoComplete="off"
      spellCheck={false}
      required
      maxLength={4096}
      className="font-mono"
      // Password managers are asked not to keep it as a login.
      data-1p-ignore
      data-lpignore="true"
    />
  )
}

const types = [
  { value: 'openai', label: 'OpenAI' },
  {
    value: 'openai-compatible',
    label: 'OpenAI-compatible',
    detail: 'Ollama, vLLM, OpenRouter or another address',
  },
] as const

/** Whose a key can be, as far as the reader may say so. */
function listOwners(projects: ProjectChoice[], mayServeEveryone: boolean) {
  const own = projects.filter(({ isOwn }) => isOwn)
  return [
    { value: 'user', label: 'Only you' },
    ...own.map(({ id, name }) => ({ value: id, label: name, detail: 'Everyone in this project' })),
    ...(mayServeEveryone
      ? [{ value: 'global', label: 'Everyone', detail: 'Every account of this AL-Chat' }]
      : []),
  ]
}

function AddressField({ error }: { error: string | undefined }) {
  return (
    <TextField
      label="Address"
      name="baseUrl"
      type="url"
      required
      maxLength={500}
      placeholder="http://127.0.0.1:11434/v1"
      hint="The key is sent here and nowhere else."
      error={error}
    />
  )
}

function AddKeyForm({ close, projects, mayServeEveryone }: KeyFormProps) {
  const router = useRouter()
  const secretRef = useRef<HTMLInputElement>(null)
  const [type, setType] = useState<'openai' | 'openai-compatible'>('openai')
  const [owner, setOwner] = useState('user')
  const { busy, failure, submit } = useSubmit()
  const owners = listOwners(projects, mayServeEveryone)

  async function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = (name: string) => String(form.get(name) ?? '').trim() || undefined
    const apiKey = takeSecret(secretRef.current)
    const scope =
      owner === 'user' || owner === 'global' ? { scope: owner } : { scope: 'project', projectId: owner }
    await submit(async () => {
      const key = await request<CredentialRecord>('POST', '/api/credentials', {
        ...scope,
        credentialType: type,
        label: text('label'),
        baseUrl: text('baseUrl'),
        credentials: { api_key: apiKey },
      })
      notify({ title: `Added the ${sayKey(key)}` })
      router.refresh()
      close()
    })
  }

  return (
    <form onSubmit={save} autoComplete="off">
      <DialogBody>
        {failure && failure.issues.length === 0 ? <FailureNote failure={failure} /> : null}
        <Field label="Provider" error={failure?.issueOf('credentialType')}>
          {(wiring) => <Select {...wiring} value={type} onChange={setType} options={[...types]} />}
        </Field>
        {type === 'openai-compatible' ? <AddressField error={failure?.issueOf('baseUrl')} /> : null}
        <Field
          label="Key"
          hint={type === 'openai-compatible' ? 'If the server needs none, enter any word.' : undefined}
          error={failure?.issueOf('credentials.api_key')}
        >
          {(wiring) => <SecretInput ref={secretRef} {...wiring} />}
        </Field>
        {owners.length > 1 ? (
          <Field label="Who may use it" error={failure?.issueOf('projectId')}>
            {(wiring) => <Select {...wiring} value={owner} onChange={setOwner} options={owners} />}
          </Field>
        ) : null}
        <TextField
          label="Label"
          name="label"
          maxLength={120}
          hint="Optional."
          error={failure?.issueOf('label')}
        />
      </DialogBody>
      <DialogActions>
        <Button look="ghost" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" look="primary" busy={busy} busyLabel="Sealing…">
          Add key
        </Button>
      </DialogActions>
    </form>
  )
}

type ReplaceKeyProps = { credential: CredentialRecord; open: boolean; onOpenChange: (open: boolean) => void }

/** Puts another key in the place of this one, at the same address. */
export function ReplaceKeyDialog({ credential, open, onOpenChange }: ReplaceKeyProps) {
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title={`Replace the ${sayKey(credential)}`}
      description={`The new key goes to ${sayAddress(credential.baseUrl)}, as the old one did. The old one is gone at once.`}
    >
      <ReplaceKeyForm credential={credential} close={() => onOpenChange(false)} />
    </Dialog>
  )
}

function ReplaceKeyForm({ credential, close }: { credential: CredentialRecord; close: () => void }) {
  const router = useRouter()
  const secretRef = useRef<HTMLInputElement>(null)
  const { busy, failure, submit } = useSubmit()

  async function save(event: FormEvent) {
    event.preventDefault()
    const apiKey = takeSecret(secretRef.current)
    await submit(async () => {
      await request('PUT', `/api/credentials/${credential.id}`, { credentials: { api_key: apiKey } })
      notify({ title: 'Replaced the key' })
      router.refresh()
      close()
    })
  }

  return (
    <form onSubmit={save} autoComplete="off">
      <DialogBody>
        {failure && failure.issues.length === 0 ? <FailureNote failure={failure} /> : null}
        <Field label="New key" error={failure?.issueOf('credentials.api_key')}>
          {(wiring) => <SecretInput ref={secretRef} {...wiring} />}
        </Field>
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
