'use client'

import { useRouter } from 'next/navigation'
import { type FormEvent, useState } from 'react'
import { Button } from '@/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '@/components/ui/dialog'
import { FailureNote } from '@/components/ui/failure'
import { Field, TextField } from '@/components/ui/field'
import { request } from '@/components/ui/request'
import { Select } from '@/components/ui/select'
import { useSubmit } from '@/components/ui/use-submit'
import type { CredentialRecord, CredentialType } from '@/lib/contracts/credentials'
import { ExpiryField, readExpiry } from './expiry-field'
import { guessProvider, isOwnKey, type ProviderGuess } from './provider-guess'
import { SecretInput, useSecret } from './secret-input'

/** A project of the reader’s; an editor or owner may keep its keys. */
export type ProjectChoice = { id: string; name: string; mayKeepKeys: boolean }

type AddKeyFormProps = {
  close: () => void
  projects: ProjectChoice[]
  mayServeEveryone: boolean
  /** Called with the masked record once the key is sealed. */
  onAdded: (key: CredentialRecord) => void
}
type AddKeyDialogProps = Omit<AddKeyFormProps, 'close'> & {
  open: boolean
  onOpenChange: (open: boolean) => void
}

/** Adds a key. It is sent once, sealed, and can never be read again. */
export function AddKeyDialog({ open, onOpenChange, ...rest }: AddKeyDialogProps) {
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

const types: { value: CredentialType; label: string; detail?: string }[] = [
  { value: 'openai', label: 'OpenAI' },
  {
    value: 'openai-compatible',
    label: 'OpenAI-compatible',
    detail: 'Ollama, vLLM, OpenRouter or another address',
  },
  { value: 'anthropic', label: 'Anthropic', detail: 'Claude, for agents that are set to it' },
]

/** Whose a key can be, as far as the reader may say so. */
function listOwners(projects: ProjectChoice[], mayServeEveryone: boolean) {
  const own = projects.filter(({ mayKeepKeys }) => mayKeepKeys)
  return [
    { value: 'user', label: 'Only you' },
    ...own.map(({ id, name }) => ({ value: id, label: name, detail: 'Everyone in this project' })),
    ...(mayServeEveryone
      ? [{ value: 'global', label: 'Everyone', detail: 'Every account of this AL-Chat' }]
      : []),
  ]
}

function toScope(owner: string) {
  return owner === 'user' || owner === 'global' ? { scope: owner } : { scope: 'project', projectId: owner }
}

const ownKeyWords =
  'This is a key of AL-Chat itself, which no provider knows. Paste one that a provider gave you.'

/** The provider: the one that the key seems to be of, until another one is chosen by hand. */
function useProvider() {
  const [chosen, choose] = useState<CredentialType>()
  const [guess, setGuess] = useState<ProviderGuess | null>(null)
  const [isOwn, setOwn] = useState(false)
  const type = chosen ?? guess?.type ?? 'openai'
  return {
    type,
    choose,
    guess: guess?.type === type ? guess : null,
    warning: isOwn ? ownKeyWords : undefined,
    look: (key: string) => {
      setGuess(guessProvider(key))
      setOwn(isOwnKey(key))
    },
  }
}

function AddKeyForm({ close, projects, mayServeEveryone, onAdded }: AddKeyFormProps) {
  const router = useRouter()
  const secret = useSecret()
  const provider = useProvider()
  const [owner, setOwner] = useState('user')
  const { busy, failure, submit } = useSubmit()
  const owners = listOwners(projects, mayServeEveryone)
  const { type, guess } = provider

  async function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    if (provider.warning) return
    const form = new FormData(event.currentTarget)
    const text = (name: string) => String(form.get(name) ?? '').trim() || undefined
    await submit(async () => {
      const key = await request<CredentialRecord>('POST', '/api/credentials', {
        ...toScope(owner),
        credentialType: type,
        label: text('label'),
        baseUrl: text('baseUrl'),
        expiresAt: readExpiry(form) ?? undefined,
        credentials: { api_key: secret.read() },
      })
      secret.wipe()
      close()
      onAdded(key)
      router.refresh()
    })
  }

  return (
    <form onSubmit={save} autoComplete="off">
      <DialogBody>
        {failure && failure.issues.length === 0 ? <FailureNote failure={failure} /> : null}
        <Field
          label="Key"
          hint={type === 'openai-compatible' ? 'If the server needs none, enter any word.' : undefined}
          error={provider.warning ?? failure?.issueOf('credentials.api_key')}
        >
          {(wiring) => (
            <SecretInput
              ref={secret.ref}
              {...wiring}
              onInput={(event) => provider.look(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field
          label="Provider"
          hint={guess ? `It begins like a key of ${guess.name}.` : undefined}
          error={failure?.issueOf('credentialType')}
        >
          {(wiring) => <Select {...wiring} value={type} onChange={provider.choose} options={types} />}
        </Field>
        {type === 'openai-compatible' ? (
          <AddressField
            // Another guess begins the field anew.
            key={guess?.baseUrl}
            guessed={guess?.baseUrl}
            error={failure?.issueOf('baseUrl')}
          />
        ) : null}
        {owners.length > 1 ? (
          <Field label="Who may use it" error={failure?.issueOf('projectId')}>
            {(wiring) => <Select {...wiring} value={owner} onChange={setOwner} options={owners} />}
          </Field>
        ) : null}
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField
            label="Label"
            name="label"
            maxLength={120}
            hint="Optional."
            error={failure?.issueOf('label')}
          />
          <ExpiryField error={failure?.issueOf('expiresAt')} />
        </div>
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

function AddressField({ guessed, error }: { guessed: string | undefined; error: string | undefined }) {
  return (
    <TextField
      label="Address"
      name="baseUrl"
      type="url"
      required
      maxLength={500}
      defaultValue={guessed}
      placeholder="http://127.0.0.1:11434/v1"
      hint="The key is sent here and nowhere else."
      error={error}
    />
  )
}
