'use client'

import dynamic from 'next/dynamic'
import { useEver } from '@/components/ui/use-ever'
import type { ChangeKeyProps } from './change-key-window'
import type { CreateKeyProps } from './create-key-window'

/* Forms are loaded when the first one opens: no page needs them to be read. */
const CreateKeyWindow = dynamic(() => import('./create-key-window').then((module) => module.CreateKeyWindow))
const ChangeKeyWindow = dynamic(() => import('./change-key-window').then((module) => module.ChangeKeyWindow))

/** Makes an API key and shows it, once. */
export function CreateKeyDialog(props: CreateKeyProps) {
  return useEver(props.open) ? <CreateKeyWindow {...props} /> : null
}

/** Changes what a key is called and what it may do in the gateway. */
export function ChangeKeyDialog(props: ChangeKeyProps) {
  return useEver(props.open) ? <ChangeKeyWindow {...props} /> : null
}
