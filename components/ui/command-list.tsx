'use client'

import { Search } from 'lucide-react'
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react'
import { cn } from './class-names'

export type Command = {
  id: string
  label: string
  /** Where it belongs, shown softly at the end of the line. */
  detail?: string
  icon?: ReactNode
  run: () => void
}

export type CommandGroup = { label: string; commands: Command[] }

type CommandListProps = {
  label: string
  placeholder: string
  query: string
  onQuery: (query: string) => void
  groups: CommandGroup[]
  /** Said when there is nothing to choose. */
  empty: string
}

/** A line to type in over a list to choose from: arrows move, Enter chooses, the list scrolls along. */
export function CommandList({ label, placeholder, query, onQuery, groups, empty }: CommandListProps) {
  const listId = useId()
  const listRef = useRef<HTMLDivElement>(null)
  const commands = groups.flatMap((group) => group.commands)
  const optionId = (command: Command) => `${listId}-${command.id}`
  const { active, point, onKeyDown } = useActiveCommand(commands, optionId)

  return (
    <>
      <div className="flex items-center gap-3 border-b px-4">
        <Search size={16} aria-hidden className="shrink-0 text-ink-soft" />
        <input
          role="combobox"
          aria-label={label}
          aria-expanded={commands.length > 0}
          aria-controls={listId}
          aria-activedescendant={active ? optionId(active) : undefined}
          aria-autocomplete="list"
          autoComplete="off"
          spellCheck={false}
          placeholder={placeholder}
          value={query}
          onChange={(event) => {
            point(null)
            onQuery(event.target.value)
            listRef.current?.scrollTo({ top: 0 })
          }}
          onKeyDown={onKeyDown}
          className="h-12 min-w-0 flex-1 bg-transparent text-[16px] outline-none"
        />
      </div>
      <div
        ref={listRef}
        id={listId}
        role="listbox"
        aria-label={label}
        className="max-h-[min(400px,60dvh)] overflow-y-auto p-2"
      >
        {groups.map((group) =>
          group.commands.length === 0 ? null : (
            <fieldset key={group.label} aria-label={group.label} className="min-w-0">
              <div aria-hidden className="px-2 pt-2 pb-1 text-ink-soft text-label">
                {group.label}
              </div>
              {group.commands.map((command) => (
                <Option
                  key={command.id}
                  id={optionId(command)}
                  command={command}
                  isActive={command === active}
                  point={() => point(command.id)}
                  onKeyDown={onKeyDown}
                />
              ))}
            </fieldset>
          ),
        )}
        {commands.length === 0 ? (
          <div className="px-2 py-6 text-center text-ink-soft text-ui">{empty}</div>
        ) : null}
      </div>
    </>
  )
}

/** The command that Enter would run: the first, until the arrows or the pointer choose another. */
function useActiveCommand(commands: Command[], optionId: (command: Command) => string) {
  const [wanted, point] = useState<string | null>(null)
  const active = commands.find((command) => command.id === wanted) ?? commands[0]

  function move(step: number) {
    const from = active ? commands.indexOf(active) : 0
    const next = commands[(from + step + commands.length) % commands.length]
    if (!next) return
    point(next.id)
    document.getElementById(optionId(next))?.scrollIntoView({ block: 'nearest' })
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 }
    const step = steps[event.key]
    if (step !== undefined) move(step)
    else if (event.key === 'Enter') active?.run()
    else return
    event.preventDefault()
  }

  return { active, point, onKeyDown }
}

type OptionProps = {
  id: string
  command: Command
  isActive: boolean
  point: () => void
  onKeyDown: (event: KeyboardEvent) => void
}

function Option({ id, command, isActive, point, onKeyDown }: OptionProps) {
  const { label, detail, icon, run } = command
  return (
    <div
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={isActive}
      onPointerMove={point}
      onClick={run}
      onKeyDown={onKeyDown}
      className={cn(
        'flex min-h-9 pointer-coarse:min-h-11 cursor-default items-center gap-3 rounded-[6px] px-2 text-ui',
        isActive && 'bg-ink/6',
      )}
    >
      <span className="text-ink-soft">{icon}</span>
      <span className="min-w-0 flex-1 truncate">{label}</span>
      {detail ? (
        <span className="max-w-[40%] shrink-0 truncate text-ink-soft text-label">{detail}</span>
      ) : null}
    </div>
  )
}
