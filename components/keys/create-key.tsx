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
import type { CreatedKey, KeyRecord, Scope } from '@/lib/contracts/keys'
import { CreatedKeyPanel } from './created-key'
import { ScopeChoice } from './scope-choice'

type KeyFormProps = {
  projects: { id: string; name: string }[]
  /** Admins may give two scopes more. */
  isAdmin: boolean
}
type CreateKeyDialogProps = KeyFormProps & { open: boolean; onOpenChange: (open: boolean) => void }

/** Makes an API key and shows it, once. */
export function CreateKeyDialog({ open, onOpenChange, ...rest }: CreateKeyDialogProps) {
  // The key itself is in no state: it goes from the answer into the element that shows it.
  const [made, setMade] = useState<{ record: KeyRecord; show: (element: HTMLElement) => void } | null>(null)
  const [isKept, setKept] = useState(false)
  const [isHeld, setHeld] = useState(false)

  function close() {
    setMade(null)
    setKept(false)
    setHeld(false)
    onOpenChange(false)
  }
  // Escape or a stray press would lose the key for good.
  const askToClose = () => (made && !isKept ? setHeld(true) : close())

  return (
    <Dialog
      open={open}
      onOpenChange={(next) => (next ? onOpenChange(true) : askToClose())}
      title={made ? `The key “${made.record.name}”` : 'New API key'}
      description={
        made
          ? 'This is the only time that it is shown. AL-Chat keeps no copy that could be read.'
          : 'For programs: it acts in your name, within what you allow here.'
      }
    >
      {made ? (
        <CreatedKeyPanel show={made.show} isHeld={isHeld} onCopied={() => setKept(true)} close={close} />
      ) : (
        <CreateKeyForm close={close} onMade={setMade} {...rest} />
      )}
    </Dialog>
  )
}

const lifetimes = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: '1 year' },
  { value: 'never', label: 'Never', detail: 'Until you revoke it' },
]

function endOf(lifetime: string): string | null {
  if (lifetime === 'never') return null
  return new Date(Date.now() + Number(lifetime) * 86_400_000).toISOString()
}

type FormProps = KeyFormProps & {
  close: () => void
  onMade: (made: { record: KeyRecord; show: (element: HTMLElement) => void }) => void
}

/** Fills the element with the key; after that nothing holds the key but the element. */
function showOnce(key: string): (element: HTMLElement) => void {
  let held: string | null = key
  return (element) => {
    if (held === null) return
    element.textContent = held
    held = null
  }
}

function CreateKeyForm({ close, onMade, projects, isAdmin }: FormProps) {
  const router = useRouter()
  const [scopes, setScopes] = useState<Scope[]>(['portal:read'])
  const [project, setProject] = useState('any')
  const [lifetime, setLifetime] = useState('90')
  const { busy, failure, submit } = useSubmit()

  async function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const budget = String(form.get('budget') ?? '').trim()
    await submit(async () => {
      const { key, ...record } = await request<CreatedKey>('POST', '/api/keys', {
        name: String(form.get('name') ?? ''),
        scopes,
        ...(project !== 'any' && { project_id: project }),
        expires_at: endOf(lifetime),
        ...(budget !== '' && { budget_usd: Number(budget) }),
      })
      onMade({ record, show: showOnce(key) })
      router.refresh()
    })
  }

  return (
    <form onSubmit={save} autoComplete="off">
      <DialogBody>
        {failure && failure.issues.length === 0 ? <FailureNote failure={failure} /> : null}
        <TextField
          label="Name"
          name="name"
          required
          maxLength={120}
          hint="What uses it, such as “Nightly report”."
          error={failure?.issueOf('name')}
        />
        <ScopeChoice
          chosen={scopes}
          onChange={setScopes}
          isAdmin={isAdmin}
          error={failure?.issueOf('scopes')}
        />
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Ends after" error={failure?.issueOf('expires_at')}>
            {(wiring) => <Select {...wiring} value={lifetime} onChange={setLifetime} options={lifetimes} />}
          </Field>
          <TextField
            label="Budget in US dollars"
            name="budget"
            type="number"
            min="0.01"
            max="999999"
            step="0.01"
            inputMode="decimal"
            placeholder="None"
            error={failure?.issueOf('budget_usd')}
          />
        </div>
        {projects.length > 0 ? (
          <Field label="Reaches" error={failure?.issueOf('project_id')}>
            {(wiring) => (
              <Select
                {...wiring}
                value={project}
                onChange={setProject}
                options={[
                  { value: 'any', label: 'Everything that you reach' },
                  ...projects.map(({ id, name }) => ({
                    value: id,
                    label: name,
                    detail: 'This project alone',
                  })),
                ]}
              />
            )}
          </Field>
        ) : null}
      </DialogBody>
      <DialogActions>
        <Button look="ghost" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" look="primary" busy={busy} busyLabel="Making…" disabled={scopes.length === 0}>
          Make key
        </Button>
      </DialogActions>
    </form>
  )
}
