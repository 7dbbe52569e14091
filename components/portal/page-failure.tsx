'use client'

import { Button } from '@/components/ui/button'

type PageFailureProps = { digest?: string; retry: () => void }

/** A page that could not be drawn: what happened, whether anything was lost, what to do, and the number small. */
export function PageFailure({ digest, retry }: PageFailureProps) {
  return (
    <div
      role="alert"
      className="mx-auto flex min-h-[60dvh] max-w-[400px] flex-col items-start justify-center gap-3 px-6"
    >
      <h1 className="font-semibold text-title">This page could not be loaded</h1>
      <p className="text-ink-soft text-ui">
        The server failed while it was making the page. Nothing that was saved is lost. Try again; if it stays
        like this, give the number below to whoever runs AL-Chat.
      </p>
      <Button look="primary" className="mt-3" onClick={retry}>
        Try again
      </Button>
      {digest ? <p className="text-ink-soft text-label">Error {digest}</p> : null}
    </div>
  )
}
