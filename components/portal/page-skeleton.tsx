import { Loading, Skeleton } from '@/components/ui/status'

const places = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

/** A page of rows before its rows are there. */
export function RowsSkeleton({ label, rows = 6 }: { label: string; rows?: number }) {
  return (
    <Loading
      label={label}
      className="mx-auto flex w-full max-w-page flex-col gap-8 px-4 py-6 sm:px-8 sm:py-10"
    >
      <HeadingSkeleton />
      <div className="flex flex-col">
        {places.slice(0, rows).map((place) => (
          <div key={place} className="flex items-center justify-between border-b py-4">
            <div className="flex flex-col gap-2">
              <Skeleton className="h-4 w-40" />
              <Skeleton className="h-3 w-64 max-w-[50vw]" />
            </div>
            <Skeleton className="h-4 w-16" />
          </div>
        ))}
      </div>
    </Loading>
  )
}

/** The dashboard before its tiles are there. */
export function TilesSkeleton({ label }: { label: string }) {
  return (
    <Loading
      label={label}
      className="mx-auto flex w-full max-w-page flex-col gap-8 px-4 py-6 sm:px-8 sm:py-10"
    >
      <HeadingSkeleton />
      <div className="grid grid-cols-[repeat(auto-fill,minmax(240px,1fr))] gap-3">
        {places.slice(0, 4).map((place) => (
          <Skeleton key={place} className="h-32 rounded-panel" />
        ))}
      </div>
      <Skeleton className="h-48 rounded-panel" />
    </Loading>
  )
}

/** A page of one form before it is there. */
export function FormSkeleton({ label }: { label: string }) {
  return (
    <Loading
      label={label}
      className="mx-auto flex w-full max-w-[784px] flex-col gap-8 px-4 py-6 sm:px-8 sm:py-10"
    >
      <HeadingSkeleton />
      {places.slice(0, 4).map((place) => (
        <div key={place} className="flex flex-col gap-2">
          <Skeleton className="h-3 w-24" />
          <Skeleton className="h-9 w-full rounded-control" />
        </div>
      ))}
    </Loading>
  )
}

function HeadingSkeleton() {
  return (
    <div className="flex flex-col gap-2">
      <Skeleton className="h-6 w-44" />
      <Skeleton className="h-4 w-72 max-w-full" />
    </div>
  )
}
