'use client'

import dynamic from 'next/dynamic'
import type { ReactNode } from 'react'
import { cn } from './class-names'
import type { DialogProps, SheetProps } from './dialog-window'
import { useEver } from './use-ever'

/*
 * What a window is made of is loaded when the first one opens: no page needs it to be read.
 */
const DialogWindow = dynamic(() => import('./dialog-window').then((module) => module.DialogWindow))
const SheetWindow = dynamic(() => import('./dialog-window').then((module) => module.SheetWindow))

/** A modal window. Escape and a press outside close it; focus goes back where it came from. */
export function Dialog(props: DialogProps) {
  return useEver(props.open) ? <DialogWindow {...props} /> : null
}

/** The padded middle of a dialog. */
export function DialogBody({ className, children }: { className?: string; children: ReactNode }) {
  return <div className={cn('flex flex-col gap-4 px-4 py-4 sm:px-6', className)}>{children}</div>
}

/** The row of buttons at the end of a dialog; the one that does it stands last. */
export function DialogActions({ children }: { children: ReactNode }) {
  return <div className="flex flex-wrap justify-end gap-2 px-4 pb-4 sm:px-6 sm:pb-5">{children}</div>
}

/** A panel from the left edge: the sidebar on a phone. */
export function Sheet(props: SheetProps) {
  return useEver(props.open) ? <SheetWindow {...props} /> : null
}
