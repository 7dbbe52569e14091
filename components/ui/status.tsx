import type { ReactNode } from 'react'
import { cn } from './class-names'

export type Tone = 'good' | 'warn' | 'bad' | 'idle'

const dots: Record<Tone, string> = {
  good: 'bg-good',
  warn: 'bg-warn',
  bad: 'bg-bad',
  idle: 'border border-edge',
}

/** A dot of colour and its word; the word is never left out, only hidden from the eye with `bare`. */
export function StatusDot({ tone, label, bare }: { tone: Tone; label: string; bare?: boolean }) {
  return (
    <span className="inline-flex items-start gap-1.5 text-ink-soft text-label">
      <span aria-hidden className={cn('mt-1 size-2 shrink-0 rounded-full', dots[tone])} />
      <span className={bare ? 'sr-only' : undefined}>{label}</span>
    </span>
  )
}

/** A key of the keyboard. */
export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded-[4px] border border-line px-1 font-sans text-label">
      {children}
    </kbd>
  )
}

/** A grey bar in the shape of what is coming; give it a size. Wrap the page's skeleton in `late`. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cn('skeleton', className)} />
}

/** Says once to screen readers that something loads, and shows its skeleton after 150 ms. */
export function Loading({
  label,
  className,
  children,
}: {
  label: string
  className?: string
  children: ReactNode
}) {
  return (
    <div role="status" aria-label={label} className={cn('late', className)}>
      {children}
    </div>
  )
}

type EmptyStateProps = { icon?: ReactNode; title: string; children?: ReactNode; action?: ReactNode }

/** An empty page: what this is for, and one button. */
export function EmptyState({ icon, title, children, action }: EmptyStateProps) {
  return (
    <div className="mx-auto flex max-w-[400px] flex-col items-center gap-2 px-4 py-8 text-center">
      {icon ? <div className="mb-2 text-ink-soft">{icon}</div> : null}
      <h2 className="font-semibold text-body">{title}</h2>
      {children ? <div className="text-balance text-ink-soft text-ui">{children}</div> : null}
      {action ? <div className="mt-4">{action}</div> : null}
    </div>
  )
}
