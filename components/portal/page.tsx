import { ChevronLeft } from 'lucide-react'
import Link from 'next/link'
import type { ReactNode } from 'react'
import { cn } from '@/components/ui/class-names'

type PageProps = {
  title: ReactNode
  /** One sentence on what this page is for. */
  lead?: ReactNode
  /** The page above this one. */
  up?: { href: string; label: string }
  /** What can be done here. Hidden while the content is an empty state with `data-empty`, which has the button itself. */
  actions?: ReactNode
  /** 720 px, for forms. */
  narrow?: boolean
  children: ReactNode
}

/** A page of the portal: its heading, what can be done, its content. */
export function Page({ title, lead, up, actions, narrow, children }: PageProps) {
  return (
    <div
      className={cn(
        'group/page mx-auto flex w-full flex-col gap-8 px-4 py-6 sm:px-8 sm:py-10',
        narrow ? 'max-w-[784px]' : 'max-w-page',
      )}
    >
      <header className="flex flex-col gap-1">
        {up ? (
          <Link
            href={up.href}
            className="relative flex items-center gap-1 self-start text-ink-soft text-label after:absolute after:-inset-x-3 after:-inset-y-3.5 after:hidden hover:text-ink pointer-coarse:after:block"
          >
            <ChevronLeft size={14} aria-hidden className="-ml-1" />
            {up.label}
          </Link>
        ) : null}
        <div className="flex min-h-9 items-center justify-between gap-4">
          <h1 className="wrap-anywhere min-w-0 font-semibold text-title tracking-tight">{title}</h1>
          {actions ? (
            <div className="flex shrink-0 items-center gap-2 group-has-data-empty/page:hidden">{actions}</div>
          ) : null}
        </div>
        {lead ? (
          <p className="wrap-anywhere max-w-[640px] whitespace-pre-line text-ink-soft text-ui">{lead}</p>
        ) : null}
      </header>
      {children}
    </div>
  )
}

type SectionProps = { title: string; lead?: ReactNode; actions?: ReactNode; children: ReactNode }

/** A part of a page with a heading of its own. */
export function Section({ title, lead, actions, children }: SectionProps) {
  return (
    <section aria-label={title} className="flex min-w-0 flex-col gap-3">
      <div className="flex min-h-9 flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div>
          <h2 className="font-semibold text-ui">{title}</h2>
          {lead ? <p className="text-ink-soft text-ui">{lead}</p> : null}
        </div>
        {actions}
      </div>
      {children}
    </section>
  )
}
