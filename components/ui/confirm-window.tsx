'use client'

import { AlertDialog } from '@base-ui/react/alert-dialog'
import { type ReactNode, useState } from 'react'
import { Button } from './button'
import { FailureNote } from './failure'
import { TextField } from './field'
import { asRequestError, type RequestError } from './request'

export type ConfirmProps = {
  open: boolean
  onOpenChange: (open: boolean) => void
  title: string
  /** Names what goes and what stays. */
  children: ReactNode
  /** The verb on the button, such as `Delete key`. */
  action: string
  /** If given, this has to be typed before the button works. */
  typeName?: string
  /** Does it. What it throws is shown in the window, which then stays open. */
  onConfirm: () => Promise<void> | void
}

/** Asks before something that cannot be undone. */
export function ConfirmWindow({ open, onOpenChange, ...rest }: ConfirmProps) {
  return (
    <AlertDialog.Root open={open} onOpenChange={onOpenChange}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="fade-motion fixed inset-0 z-50 bg-black/36" />
        <AlertDialog.Viewport className="fixed inset-0 z-50 flex items-start justify-center overflow-y-auto p-4 sm:py-[16vh]">
          <AlertDialog.Popup className="float-motion w-full max-w-[440px] rounded-panel bg-raised p-5 shadow-float outline-none sm:p-6">
            <ConfirmForm close={() => onOpenChange(false)} {...rest} />
          </AlertDialog.Popup>
        </AlertDialog.Viewport>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}

type FormProps = Omit<ConfirmProps, 'open' | 'onOpenChange'> & { close: () => void }

function ConfirmForm({ title, children, action, typeName, onConfirm, close }: FormProps) {
  const [typed, setTyped] = useState('')
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<RequestError>()
  const armed = typeName === undefined || typed.trim() === typeName

  async function confirm() {
    setBusy(true)
    setFailure(undefined)
    try {
      await onConfirm()
      close()
    } catch (error) {
      setFailure(asRequestError(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault()
        if (armed && !busy) void confirm()
      }}
    >
      <AlertDialog.Title className="font-semibold text-body">{title}</AlertDialog.Title>
      <AlertDialog.Description render={<div />} className="text-ink-soft text-ui">
        {children}
      </AlertDialog.Description>
      {typeName === undefined ? null : (
        <TextField
          label={
            <>
              Type <strong className="wrap-anywhere font-semibold">{typeName}</strong> to go on
            </>
          }
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          autoComplete="off"
          spellCheck={false}
        />
      )}
      {failure ? <FailureNote failure={failure} /> : null}
      <div className="flex flex-wrap justify-end gap-2">
        <AlertDialog.Close render={<Button look="ghost" />}>Cancel</AlertDialog.Close>
        <Button type="submit" look="danger" busy={busy} disabled={!armed}>
          {action}
        </Button>
      </div>
    </form>
  )
}
