import { type ReactNode, Suspense } from 'react'
import { Loading, Skeleton } from '@/components/ui/status'
import { PartBoundary } from './part-boundary'

type PartProps = { label: string; skeleton: ReactNode; children: ReactNode }

/**
 * A part of a page that loads, and fails, by itself: the rest of the page stays as it is.
 * `label` names it, as in `recent conversations`.
 */
export function Part({ label, skeleton, children }: PartProps) {
  return (
    <PartBoundary label={label}>
      <Suspense fallback={<Loading label={`Loading ${label}`}>{skeleton}</Loading>}>{children}</Suspense>
    </PartBoundary>
  )
}

const places = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

/** A heading with rows under it, before they are there. */
export function RowsSkeleton({ rows = 4 }: { rows?: number }) {
  return (
    <div className="flex flex-col gap-3">
      <Skeleton className="my-2.5 h-4 w-32" />
      <div className="border-t">
        {places.slice(0, rows).map((place) => (
          <div key={place} className="flex h-16 items-center justify-between border-b">
            <div className="flex flex-col gap-2">
              <Skeleton className="h-4 w-40" />
              <Skeleton className="h-3 w-64 max-w-[50vw]" />
            </div>
            <Skeleton className="h-4 w-16" />
          </div>
        ))}
      </div>
    </div>
  )
}

/** The dashboard's tiles before they are there. */
export function TilesSkeleton() {
  return (
    <div className="flex flex-col gap-3">
      <Skeleton className="my-2.5 h-4 w-20" />
      <div className="grid grid-cols-[repeat(auto-fill,minmax(min(200px,100%),1fr))] gap-3">
        {places.slice(0, 4).map((place) => (
          <Skeleton key={place} className="h-24 sm:h-28" />
        ))}
      </div>
    </div>
  )
}
