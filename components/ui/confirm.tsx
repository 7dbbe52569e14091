'use client'

import dynamic from 'next/dynamic'
import type { ReactNode } from 'react'
import { useEver } from './use-ever'

const ConfirmWindow = dynamic(() => import('./confirm-window').then((module) => module.ConfirmWindow))

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
export function ConfirmDialog(props: ConfirmProps) {
  return useEver(props.open) ? <ConfirmWindow {...props} /> : null
}
