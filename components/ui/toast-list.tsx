'use client'

import { Toast } from '@base-ui/react/toast'
import { CircleAlert, CircleCheck, X } from 'lucide-react'
import { useEffect } from 'react'
import { IconButton } from './button'

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

export type ToastManager = ReturnType<typeof Toast.createToastManager>

const toasts = Toast.createToastManager()

/** The toasts that there are. `onReady` hears once when it can show some. */
export function ToastViewport({ onReady }: { onReady: (toasts: ToastManager) => void }) {
  // Runs after the provider's own effects, so it is listening by then.
  useEffect(() => onReady(toasts), [onReady])
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
