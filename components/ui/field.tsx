import { type ComponentProps, type ReactNode, useId } from 'react'
import { cn } from './class-names'

type Wiring = { id: string; 'aria-describedby': string | undefined; 'aria-invalid': true | undefined }

type FieldProps = {
  label: ReactNode
  hint?: ReactNode
  error?: string | undefined
  /** Something at the end of the label's line, such as a link. */
  aside?: ReactNode
  className?: string
  /** Draws the control; spread the wiring on it, so that label, hint and error belong to it. */
  children: (wiring: Wiring) => ReactNode
}

/** A label, a control, and what is wrong with it. The error takes the hint's place. */
export function Field({ label, hint, error, aside, className, children }: FieldProps) {
  const id = useId()
  const noteId = `${id}-note`
  const wiring: Wiring = {
    id,
    'aria-describedby': error || hint ? noteId : undefined,
    'aria-invalid': error ? true : undefined,
  }
  return (
    <div className={cn('flex flex-col gap-1.5', className)}>
      <div className="flex items-baseline justify-between gap-4">
        <label htmlFor={id} className="font-medium text-ui">
          {label}
        </label>
        {aside}
      </div>
      {children(wiring)}
      {error ? (
        <p id={noteId} className="text-bad text-label">
          {error}
        </p>
      ) : hint ? (
        <p id={noteId} className="text-ink-soft text-label">
          {hint}
        </p>
      ) : null}
    </div>
  )
}

/** The look of anything that is typed into or chosen from. 16 px on touch, so that phones do not zoom in. */
export const controlClasses = cn(
  'w-full rounded-control border border-edge bg-canvas text-ui text-ink transition-colors',
  'pointer-coarse:text-[16px] hover:border-ink-soft focus-visible:border-accent focus-visible:outline-offset-0',
  'disabled:cursor-not-allowed disabled:opacity-60 aria-invalid:border-bad',
)

export function Input({ className, ...props }: ComponentProps<'input'>) {
  return <input {...props} className={cn(controlClasses, 'pointer-coarse:h-11 h-9 px-3', className)} />
}

function Textarea({ className, ...props }: ComponentProps<'textarea'>) {
  return (
    <textarea
      {...props}
      className={cn(controlClasses, 'field-sizing-content min-h-20 resize-none px-3 py-2', className)}
    />
  )
}

type Labelled = Pick<FieldProps, 'label' | 'hint' | 'error' | 'aside'> & { fieldClassName?: string }

/** A labelled line of text. */
export function TextField({
  label,
  hint,
  error,
  aside,
  fieldClassName,
  ...props
}: ComponentProps<'input'> & Labelled) {
  return (
    <Field label={label} hint={hint} error={error} aside={aside} className={fieldClassName}>
      {(wiring) => <Input {...props} {...wiring} />}
    </Field>
  )
}

/** A labelled text of several lines, which grows with what is in it. */
export function TextareaField({
  label,
  hint,
  error,
  aside,
  fieldClassName,
  ...props
}: ComponentProps<'textarea'> & Labelled) {
  return (
    <Field label={label} hint={hint} error={error} aside={aside} className={fieldClassName}>
      {(wiring) => <Textarea {...props} {...wiring} />}
    </Field>
  )
}
