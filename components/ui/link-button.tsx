import Link from 'next/link'
import type { ComponentProps, ReactNode } from 'react'
import { buttonClasses, type Look, type Size } from './button'
import { cn } from './class-names'

type LinkButtonProps = ComponentProps<typeof Link> & { look?: Look; size?: Size; icon?: ReactNode }

/** A link that looks like a button: it goes somewhere and changes nothing. */
export function LinkButton({ look, size, icon, className, children, ...props }: LinkButtonProps) {
  return (
    <Link {...props} className={cn(buttonClasses({ look, size }), className)}>
      {icon}
      {children}
    </Link>
  )
}
