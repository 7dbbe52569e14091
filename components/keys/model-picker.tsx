'use client'

import { Combobox } from '@base-ui/react/combobox'
import { Check, Plus, X } from 'lucide-react'
import { type ComponentProps, type RefObject, useRef, useState } from 'react'
import { cn } from '@/components/ui/class-names'
import { controlClasses } from '@/components/ui/field'

export type ModelChoice = {
  /** What the API is told, such as `gpt-5-mini` or `agent:` and an id. */
  value: string
  /** What it is called, where that is something else. */
  label?: string
}

type ModelPickerProps = {
  /** The label once more: the one in sight is hidden from assistive technology while choices are open. */
  label: string
  chosen: string[]
  onChange: (chosen: string[]) => void
  /** What is offered; any other name can be typed. */
  choices: readonly ModelChoice[]
  placeholder: string
  max: number
} & Pick<ComponentProps<'input'>, 'id' | 'aria-describedby' | 'aria-invalid'>

/** So many are shown at a time. */
const maxShown = 50

/** Names of models, as chips: typed or pasted, or chosen from those that are offered. */
export function ModelPicker({
  label,
  chosen,
  onChange,
  choices,
  placeholder,
  max,
  ...wiring
}: ModelPickerProps) {
  const box = useRef<HTMLDivElement>(null)
  const [typed, setTyped] = useState('')
  const labels = new Map(choices.map(({ value, label }) => [value, label ?? value]))
  const labelOf = (value: string) => labels.get(value) ?? value

  function add(names: string[]) {
    onChange([...new Set([...chosen, ...names.filter((name) => name !== '')])].slice(0, max))
    setTyped('')
  }
  function type(text: string) {
    // A list can be pasted; a comma or a space ends a name.
    const names = text.split(/[\s,]+/)
    if (names.length === 1) setTyped(text)
    else add(names)
  }

  return (
    <Combobox.Root
      multiple
      autoHighlight
      items={listItems(typed, choices, chosen)}
      filter={null}
      itemToStringLabel={labelOf}
      value={chosen}
      onValueChange={(next) => {
        onChange(next.slice(0, max))
        setTyped('')
      }}
      inputValue={typed}
      onInputValueChange={type}
    >
      <Combobox.Chips
        ref={box}
        className={cn(
          controlClasses,
          'flex min-h-9 pointer-coarse:min-h-11 cursor-text flex-wrap items-center gap-1 pointer-coarse:gap-2 px-1.5 py-1',
          'focus-within:border-accent focus-within:outline-2 focus-within:outline-accent',
          wiring['aria-invalid'] && 'border-bad',
        )}
      >
        {chosen.map((value) => (
          <Chip key={value} label={labelOf(value)} />
        ))}
        <Combobox.Input
          {...wiring}
          aria-label={label}
          placeholder={chosen.length === 0 ? placeholder : ''}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          maxLength={4000}
          onBlur={() => add([typed.trim()])}
          className="h-6.5 min-w-16 flex-1 bg-transparent px-1.5 outline-none"
        />
      </Combobox.Chips>
      <Offer anchor={box} labelOf={labelOf} typed={typed} known={labels} />
    </Combobox.Root>
  )
}

/** What can be chosen: what is typed, as it is, and what is offered that has it in its name. */
function listItems(typed: string, choices: readonly ModelChoice[], chosen: string[]): string[] {
  const words = typed.trim().toLowerCase()
  const fitting = choices
    .filter(({ value, label = '' }) => `${value} ${label}`.toLowerCase().includes(words))
    .map(({ value }) => value)
  const asTyped = words === '' || chosen.includes(typed.trim()) ? [] : [typed.trim()]
  return [...new Set([...asTyped, ...fitting])].slice(0, maxShown)
}

function Chip({ label }: { label: string }) {
  return (
    <Combobox.Chip
      aria-label={label}
      className="flex h-6.5 pointer-coarse:h-9 max-w-full items-center gap-0.5 rounded-[6px] bg-ink/8 pl-2 text-ui outline-none focus-visible:outline-2 focus-visible:outline-accent"
    >
      <span className="truncate">{label}</span>
      <Combobox.ChipRemove
        aria-label={`Remove ${label}`}
        className="relative flex size-6.5 pointer-coarse:size-9 shrink-0 items-center justify-center rounded-[6px] text-ink-soft before:absolute before:-inset-1 before:hidden hover:text-ink pointer-coarse:before:block"
      >
        <X size={13} aria-hidden />
      </Combobox.ChipRemove>
    </Combobox.Chip>
  )
}

type OfferProps = {
  anchor: RefObject<HTMLElement | null>
  labelOf: (value: string) => string
  typed: string
  known: Map<string, string>
}

function Offer({ anchor, labelOf, typed, known }: OfferProps) {
  return (
    <Combobox.Portal render={<section aria-label="Choices" />}>
      <Combobox.Positioner anchor={anchor} align="start" sideOffset={4} className="z-50 outline-none">
        {/* It goes at once: while it left, it would be a list that belongs to no field. */}
        <Combobox.Popup className="float-motion w-(--anchor-width) overflow-hidden rounded-panel bg-raised shadow-float outline-none data-empty:hidden data-ending-style:hidden">
          <Combobox.List className="max-h-[min(264px,var(--available-height))] scroll-py-1 overflow-y-auto p-1 outline-none">
            {(value: string) => (
              <Combobox.Item
                key={value}
                value={value}
                className="flex min-h-8 pointer-coarse:min-h-11 cursor-default select-none items-center gap-2 rounded-[6px] px-2 py-1.5 text-ui outline-none data-highlighted:bg-ink/6"
              >
                <span className="wrap-anywhere min-w-0 flex-1">{labelOf(value)}</span>
                {value === typed.trim() && !known.has(value) ? (
                  <span className="flex items-center gap-1 text-ink-soft text-label">
                    <Plus size={14} aria-hidden />
                    Add
                  </span>
                ) : null}
                <Combobox.ItemIndicator>
                  <Check size={16} aria-hidden />
                </Combobox.ItemIndicator>
              </Combobox.Item>
            )}
          </Combobox.List>
        </Combobox.Popup>
      </Combobox.Positioner>
    </Combobox.Portal>
  )
}
