'use client'

import { type ComponentProps, lazy, Suspense } from 'react'
import '@/components/chat/chat.css'
import type { TryIt as TryItSection } from './try-it'
import type { UseIt as UseItBox } from './use-it'

/*
 * Snippets and the trial stand below what a page about keys is opened for: it does not wait for their code. The server
 * has it at hand and draws them.
 */
const UseItLater = lazy(() => import('./use-it').then(({ UseIt: drawn }) => ({ default: drawn })))
const TryItLater = lazy(() => import('./try-it').then(({ TryIt: drawn }) => ({ default: drawn })))

/** A first call, ready to be pasted, for each of the usual clients. */
export function UseIt(props: ComponentProps<typeof UseItBox>) {
  return (
    <Suspense>
      <UseItLater {...props} />
    </Suspense>
  )
}

/** The gateway, asked by the reader. */
export function TryIt(props: ComponentProps<typeof TryItSection>) {
  return (
    <Suspense>
      <TryItLater {...props} />
    </Suspense>
  )
}
