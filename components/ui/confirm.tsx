'use client'

import dynamic from 'next/dynamic'
import type { ConfirmProps } from './confirm-window'
import { useEver } from './use-ever'

const ConfirmWindow = dynamic(() => import('./confirm-window').then((module) => module.ConfirmWindow))

/** Asks before something that cannot be undone. */
export function ConfirmDialog(props: ConfirmProps) {
  return useEver(props.open) ? <ConfirmWindow {...props} /> : null
}
