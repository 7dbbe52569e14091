'use client'

import { Toast } from '@base-ui/react/toast'
import { CircleAlert, CircleCheck, X } from 'lucide-react'
import { IconButton } from './button'
import { asRequestError } from './request'

const toasts = Toast.createToastManager()

type Notice = { title: string; description?: string; action?: { label: string; onPress: () => void } }

/** Says something that was done, for 5 s, politely. */
export function notify({ title, description, action }: Notice): void {
  const id: string = toasts.add({
    title,
    description,
    actionProps: action && {
      children: action.label,
      onClick: () => {
        toasts.close(id)
        action.onPress()
      },
    },
  })
}

/** Says that something failed: what, why, and the request id; stays for 10 s. */
export function notifyFailure(title: string, error: unknown): void {
  const { message, requestId, retryAfterSeconds } = asRequestError(error)
  const wait = retryAfterSeconds ? ` Try again in ${retryAfterSeconds} seconds.` : ''
  const id = requestId ? ` Request ${requestId}.` : ''
  toasts.add({
    title,
    description: `${message}${wait}${id}`,
    type: 'failure',
    priority: 'high',
    timeout: 10_000,
  })
}

type Undoable = {
  /** What is gone, such as `Deleted “Research”`. */
  title: string
  /** Does it on the server. With `leaving`, the page is going away: send with keepalive. */
  commit: (leaving: boolean) => Promise<void>
  /** Puts back what the page has already hidden: after Undo, and when the commit failed. */
  restore: () => void
}

/** The time in which a deletion can be taken back, in milliseconds. */
const undoTimeMs = 10_000

/**
 * Deletes after 10 s unless taken back: hide the thing first, then call this.
 * Leaving the page commits at once; a failed commit is said and the thing put back.
 */
export function offerUndo({ title, commit, restore }: Undoable): void {
  let settled = false
  const settle = (undo: boolean, leaving = false) => {
    if (settled) return
    settled = true
    window.removeEventListener('pagehide', leave)
    if (undo) return restore()
    commit(leaving).catch((error: unknown) => {
      restore()
      notifyFailure('This could not be deleted', error)
    })
  }
  const leave = () => settle(false, true)
  window.addEventListener('pagehide', leave)
  const id: string = toasts.add({
    title,
    timeout: undoTimeMs,
    onClose: () => settle(false),
    actionProps: {
      children: 'Undo',
      onClick: () => {
        settle(true)
        toasts.close(id)
      },
    },
  })
}

function ToastList() {
  return Toast.useToastManager().toasts.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      className="float-motion pointer-events-auto flex w-full items-center gap-3 rounded-panel bg-raised py-3 pr-2 pl-4 shadow-float"
    >
      <span className="shrink-0" aria-hidden>
        {toast.type === 'failure' ? (
          <CircleAlert size={16} className="text-bad" />
        ) : (
          <CircleCheck size={16} className="text-ink-soft" />
        )}
      </span>
      <Toast.Content className="min-w-0 flex-1">
        <Toast.Title className="break-words font-medium text-ui" />
        <Toast.Description className="break-words text-ink-soft text-ui" />
      </Toast.Content>
      <Toast.Action className="-my-1 h-8 pointer-coarse:h-11 shrink-0 rounded-control px-2.5 font-medium text-accent text-ui hover:bg-ink/6" />
      <Toast.Close render={<IconButton label="Dismiss" size="small" className="-my-1.5" />}>
        <X size={16} aria-hidden />
      </Toast.Close>
    </Toast.Root>
  ))
}

/** Where toasts appear. Stands once, in the portal's layout. */
export function Toaster() {
  return (
    <Toast.Provider toastManager={toasts}>
      <Toast.Portal>
        <Toast.Viewport className="pointer-events-none fixed inset-x-4 bottom-4 z-50 flex flex-col items-center gap-2 sm:right-6 sm:bottom-6 sm:left-auto sm:w-96">
          <ToastList />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}
