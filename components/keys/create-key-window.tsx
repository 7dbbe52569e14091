'use client'

import { useRouter } from 'next/navigation'
import { type FormEvent, useState } from 'react'
import { Button } from '@/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '@/components/ui/dialog'
import { FailureNote } from '@/components/ui/failure'
import { request } from '@/components/ui/request'
import { useSubmit } from '@/components/ui/use-submit'
import type { CreatedKey, KeyRecord } from '@/lib/contracts/keys'
import { CreatedKeyPanel } from './created-key'
import { KeyFields, type KeyFormFacts, useKeyForm } from './key-fields'

export type CreateKeyProps = KeyFormFacts & { open: boolean; onOpenChange: (open: boolean) => void }

type Made = { record: KeyRecord; show: (element: HTMLElement) => void }

export function CreateKeyWindow({ open, onOpenChange, ...facts }: CreateKeyProps) {
  // The key itself is in no state: it goes from the answer into the element that shows it.
  const [made, setMade] = useState<Made | null>(null)
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
      wide
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
        <CreatedKeyPanel
          record={made.record}
          show={made.show}
          models={facts.models}
          isHeld={isHeld}
          onCopied={() => setKept(true)}
          close={close}
        />
      ) : (
        <CreateKeyForm close={close} onMade={setMade} {...facts} />
      )}
    </Dialog>
  )
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

type CreateFormProps = KeyFormFacts & { close: () => void; onMade: (made: Made) => void }

function CreateKeyForm({ close, onMade, ...facts }: CreateFormProps) {
  const router = useRouter()
  const form = useKeyForm(null)
  const { busy, failure, submit } = useSubmit()

  async function save(event: FormEvent) {
    event.preventDefault()
    await submit(async () => {
      const { key, ...record } = await request<CreatedKey>('POST', '/api/keys', form.toCreate())
      onMade({ record, show: showOnce(key) })
      router.refresh()
    })
  }

  return (
    <form onSubmit={save} autoComplete="off">
      <DialogBody>
        {failure && failure.issues.length === 0 ? <FailureNote failure={failure} /> : null}
        <KeyFields form={form} failure={failure} isNew {...facts} />
      </DialogBody>
      <DialogActions>
        <Button look="ghost" onClick={close}>
          Cancel
        </Button>
        <Button
          type="submit"
          look="primary"
          busy={busy}
          busyLabel="Making…"
          disabled={form.values.scopes.length === 0}
        >
          Make key
        </Button>
      </DialogActions>
    </form>
  )
}
