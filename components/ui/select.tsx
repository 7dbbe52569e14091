'use client'

import { Select as Base } from '@base-ui/react/select'
import { Check, ChevronDown } from 'lucide-react'
import { cn } from './class-names'
import { controlClasses } from './field'

export type SelectOption<T extends string> = { value: T; label: string; detail?: string }

type SelectProps<T extends string> = {
  value: T
  onChange: (value: T) => void
  options: SelectOption<T>[]
  id?: string
  name?: string
  disabled?: boolean
  className?: string
  'aria-label'?: string
  'aria-describedby'?: string | undefined
  'aria-invalid'?: true | undefined
}

/** One of a few. Inside a Field spread its wiring on this. */
export function Select<T extends string>({
  value,
  onChange,
  options,
  id,
  name,
  disabled,
  ...props
}: SelectProps<T>) {
  const { className, ...wiring } = props
  return (
    <Base.Root
      items={options}
      value={value}
      name={name}
      disabled={disabled}
      onValueChange={(next) => next !== null && onChange(next)}
    >
      <Base.Trigger
        id={id}
        {...wiring}
        className={cn(
          controlClasses,
          'flex pointer-coarse:h-11 h-9 select-none items-center justify-between gap-2 pr-2.5 pl-3 text-left',
          className,
        )}
      >
        <Base.Value className="truncate" />
        <Base.Icon>
          <ChevronDown size={16} aria-hidden className="text-ink-soft" />
        </Base.Icon>
      </Base.Trigger>
      <Base.Portal render={<section aria-label="Choices" />}>
        <Base.Positioner sideOffset={4} alignItemWithTrigger={false} className="z-50 outline-none">
          <Base.Popup className="float-motion max-h-(--available-height) min-w-(--anchor-width) max-w-[calc(100vw-16px)] overflow-y-auto rounded-panel bg-raised p-1 shadow-float outline-none">
            {options.map((option) => (
              <Base.Item
                key={option.value}
                value={option.value}
                className="flex min-h-8 pointer-coarse:min-h-11 cursor-default select-none items-center gap-4 rounded-[6px] px-2 py-1.5 text-ui outline-none data-highlighted:bg-ink/6"
              >
                <div className="min-w-0 flex-1">
                  <Base.ItemText>{option.label}</Base.ItemText>
                  {option.detail ? <div className="text-ink-soft text-label">{option.detail}</div> : null}
                </div>
                <Base.ItemIndicator>
                  <Check size={16} aria-hidden />
                </Base.ItemIndicator>
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
