import { Button } from './button'
import { FailureNote } from './failure'
import type { RequestError } from './request'

type MoreButtonProps = {
  hasMore: boolean
  busy: boolean
  failure: RequestError | undefined
  loadMore: () => void
}

/** The end of a list: fetches its next page, or says why it could not. */
export function MoreButton({ hasMore, busy, failure, loadMore }: MoreButtonProps) {
  if (!hasMore) return null
  return (
    <div className="flex flex-col items-center gap-3 py-4">
      {failure ? <FailureNote failure={failure} /> : null}
      <Button busy={busy} busyLabel="Loading…" onClick={loadMore}>
        Show more
      </Button>
    </div>
  )
}
