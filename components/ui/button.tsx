import type { ComponentProps, ReactNode } from 'react'
import { cn } from './class-names'

export type Look = 'primary' | 'secondary' | 'ghost' | 'danger'
export type Size = 'small' | 'medium' | 'large'

const looks: Record<Look, string> = {
  primary: 'bg-accent text-accent-ink hover:bg-accent/88 active:bg-accent/80',
  secondary: 'border border-edge/70 bg-raised text-ink hover:bg-surface active:bg-line/60',
  ghost: 'text-ink hover:bg-ink/6 active:bg-ink/10',
  danger: 'bg-bad text-accent-ink hover:bg-bad/88 active:bg-bad/80',
}

const sizes: Record<Size, string> = {
  small: 'h-8 gap-1.5 px-2.5',
  medium: 'h-9 gap-2 px-3.5',
  large: 'h-11 gap-2 px-4',
}

/** The classes of a button, for a link or a trigger that should look like one. */
export function buttonClasses({
  look = 'secondary',
  size = 'medium',
}: {
  look?: Look
  size?: Size
} = {}): string {
  return cn(
    'inline-flex shrink-0 select-none items-center justify-center whitespace-nowrap rounded-control',
    'pointer-coarse:min-h-11 font-medium text-ui transition-colors',
    'disabled:cursor-not-allowed disabled:opacity-50 aria-disabled:opacity-50',
    looks[look],
    sizes[size],
  )
}

type ButtonProps = ComponentProps<'button'> & {
  look?: Look
  size?: Size
  icon?: ReactNode
  /** While true the button cannot be pressed again and says `busyLabel`, or keeps its words. */
  busy?: boolean
  busyLabel?: string
}

/** A button with a verb on it. At most one `primary` in view. */
export function Button({ look, size, icon, busy, busyLabel, className, children, ...props }: ButtonProps) {
  return (
    <button
      type="button"
      {...props}
      disabled={props.disabled || busy}
      aria-busy={busy || undefined}
      className={cn(buttonClasses({ look, size }), className)}
    >
      {icon}
      {busy && busyLabel ? busyLabel : children}
    </button>
  )
}

/** The classes of a square button with one icon, for a link that should look like one. */
export function iconButtonClasses(size: 'small' | 'medium' = 'medium'): string {
  return cn(
    'inline-flex shrink-0 items-center justify-center rounded-control text-ink-soft transition-colors',
    'pointer-coarse:min-h-11 pointer-coarse:min-w-11 hover:bg-ink/6 hover:text-ink active:bg-ink/10',
    'disabled:cursor-not-allowed disabled:opacity-50 data-popup-open:bg-ink/6 data-popup-open:text-ink',
    size === 'small' ? 'size-8' : 'size-9',
  )
}

type IconButtonProps = ComponentProps<'button'> & { label: string; size?: 'small' | 'medium' }

/** A button of one icon; `label` is its name for everyone who does not see it. */
export function IconButton({ label, size, className, children, ...props }: IconButtonProps) {
  return (
    <button type="button" aria-label={label} {...props} className={cn(iconButtonClasses(size), className)}>
      {children}
    </button>
  )
}
