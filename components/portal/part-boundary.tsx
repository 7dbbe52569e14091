'use client'

import { catchError, type ErrorInfo } from 'next/error'
import { Button } from '@/components/ui/button'

/** What stands in the place of a part that failed: what is missing, that nothing is lost, and another try. */
function PartFailure({ label }: { label: string }, { error, retry }: ErrorInfo) {
  const digest = error instanceof Error && 'digest' in error ? String(error.digest) : null
  return (
    <div role="alert" className="flex flex-col items-start gap-3 rounded-panel border p-4">
      <p className="text-ui">
        The server could not load {label}. Nothing is lost; the rest of the page works.
        {digest ? <span className="block text-ink-soft text-label">Error {digest}</span> : null}
      </p>
      <Button size="small" onClick={() => retry()}>
        Try again
      </Button>
    </div>
  )
}

export const PartBoundary = catchError(PartFailure)
