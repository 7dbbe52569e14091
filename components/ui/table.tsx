import type { ComponentProps, ReactNode } from 'react'
import { cn } from './class-names'
import { ScrollRegion } from './scroll-region'

/** A table with a name. It scrolls sideways by itself when it is too wide. */
export function Table({
  label,
  className,
  children,
}: {
  label: string
  className?: string
  children: ReactNode
}) {
  return (
    <ScrollRegion label={`${label}: table`} className="-mx-4 overflow-x-auto px-4 sm:mx-0 sm:px-0">
      <table
        aria-label={label}
        className={cn('w-full border-collapse text-left text-ui tabular-nums', className)}
      >
        {children}
      </table>
    </ScrollRegion>
  )
}

export function Th({ className, ...props }: ComponentProps<'th'>) {
  return (
    <th
      scope="col"
      {...props}
      className={cn('whitespace-nowrap border-b py-2 pr-4 font-medium text-ink-soft text-label', className)}
    />
  )
}

export function Td({ className, ...props }: ComponentProps<'td'>) {
  return <td {...props} className={cn('border-b py-3 pr-4 align-middle', className)} />
}
