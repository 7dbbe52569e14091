'use client'

import { lazy, Suspense } from 'react'
import { PartBoundary } from '@/components/portal/part-boundary'
import { Loading, Skeleton } from '@/components/ui/status'
import type { Plot, Series } from './usage-series'
import type { Measure } from './usage-view'
import { measureWords } from './usage-words'

// The library that draws is larger than the rest of the page, and comes after it.
const Chart = lazy(() => import('./usage-chart'))

/** A plot over time. The table beneath it says the same in numbers. */
export function UsagePlot({ plot, measure }: { plot: Plot; measure: Measure }) {
  const label = `${measureWords[measure]} by day, in UTC`
  return (
    <figure className="flex min-w-0 flex-col gap-3">
      <figcaption className="text-ink-soft text-label">{label}</figcaption>
      <div className="h-64">
        <PartBoundary label="the plot">
          <Suspense
            fallback={
              <Loading label="Loading the plot">
                <Skeleton className="h-64 w-full" />
              </Loading>
            }
          >
            <Chart plot={plot} measure={measure} label={label} />
          </Suspense>
        </PartBoundary>
      </div>
      {plot.series.length > 1 ? <Legend series={plot.series} /> : null}
    </figure>
  )
}

function Legend({ series }: { series: Series[] }) {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1">
      {series.map(({ id, name }, index) => (
        <li key={id} className="flex min-w-0 items-center gap-2 text-label">
          <span
            aria-hidden
            className="size-2.5 shrink-0 rounded-[3px]"
            style={{ background: `var(--plot-${index + 1})` }}
          />
          <span className="wrap-anywhere">{name}</span>
        </li>
      ))}
    </ul>
  )
}
