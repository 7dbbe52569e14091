import type { ReactNode } from 'react'

/** Facts beside each other, as many in a row as there is room for. */
export function Facts({ label, children }: { label: string; children: ReactNode }) {
  return (
    <dl
      aria-label={label}
      className="grid grid-cols-[repeat(auto-fill,minmax(min(136px,100%),1fr))] gap-x-6 gap-y-4 border-t pt-4 text-ui"
    >
      {children}
    </dl>
  )
}

/** What a fact is called, and what it is. */
export function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex min-w-0 flex-col">
      <dt className="wrap-anywhere text-ink-soft text-label">{label}</dt>
      <dd className="wrap-anywhere tabular-nums">{children}</dd>
    </div>
  )
}

/** All that is known of something, a line each. Nothing there is compared in columns, and ids read better so. */
export function FactLines({ facts }: { facts: readonly (readonly [heading: string, text: string])[] }) {
  return (
    <dl className="grid grid-cols-[max-content_1fr] gap-x-4 gap-y-1 text-label normal-nums sm:gap-x-6">
      {facts.map(([heading, text]) => (
        <div key={heading} className="contents">
          <dt className="text-ink-soft">{heading}</dt>
          <dd className="wrap-anywhere">{text}</dd>
        </div>
      ))}
    </dl>
  )
}
