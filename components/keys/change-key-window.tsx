'use client'

import { useRouter } from 'next/navigation'
import type { FormEvent } from 'react'
import { Button } from '@/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '@/components/ui/dialog'
import { FailureNote } from '@/components/ui/failure'
import { request } from '@/components/ui/request'
import { notify } from '@/components/ui/toast'
import { useSubmit } from '@/components/ui/use-submit'
import type { KeyRecord } from '@/lib/contracts/keys'
import { KeyFields, type KeyFormFacts, useKeyForm } from './key-fields'

export type ChangeKeyProps = KeyFormFacts & {
  record: KeyRecord
  open: boolean
  onOpenChange: (open: boolean) => void
}

export function ChangeKeyWindow({ record, open, onOpenChange, ...facts }: ChangeKeyProps) {
  return (
    <Dialog
      wide
      open={open}
      onOpenChange={onOpenChange}
      title={`Change “${record.name}”`}
      description="It holds from the next call on. What the key may do at all, where it reaches and when it ends stay as they are."
    >
      <ChangeKeyForm record={record} close={() => onOpenChange(false)} {...facts} />
    </Dialog>
  )
}

function ChangeKeyForm({ record, close, ...facts }: KeyFormFacts & { record: KeyRecord; close: () => void }) {
  const router = useRouter()
  const form = useKeyForm(record, { isOpen: true })
  const { busy, failure, submit } = useSubmit()

  async function save(event: FormEvent) {
    event.preventDefault()
    await submit(async () => {
      const { name } = await request<KeyRecord>('PATCH', `/api/keys/${record.id}`, form.toUpdate())
      close()
      notify({ title: `Changed “${name}”` })
      router.refresh()
    })
  }

  return (
    <form onSubmit={save} autoComplete="off">
      <DialogBody>
        {failure && failure.issues.length === 0 ? <FailureNote failure={failure} /> : null}
        <KeyFields form={form} failure={failure} isNew={false} {...facts} />
      </DialogBody>
      <DialogActions>
        <Button look="ghost" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" look="primary" busy={busy} busyLabel="Saving…">
          Save
        </Button>
      </DialogActions>
    </form>
  )
}
