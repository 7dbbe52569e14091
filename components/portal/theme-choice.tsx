'use client'

import { cn } from '@/components/ui/class-names'
import { themes } from './account-menu'
import { useTheme } from './preferences'

/** Light, dark, or as the system has it; kept for this browser. */
export function ThemeChoice() {
  const [theme, setTheme] = useTheme()
  return (
    <fieldset className="flex w-fit max-w-full flex-wrap gap-1 rounded-control bg-surface p-1">
      <legend className="sr-only">Theme</legend>
      {themes.map(({ value, label, Icon }) => (
        <label
          key={value}
          className={cn(
            'flex h-8 pointer-coarse:h-11 cursor-pointer items-center gap-2 rounded-[6px] px-3 text-ui transition-colors',
            'has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-2',
            theme === value
              ? 'bg-raised font-medium shadow-[0_0_0_1px_var(--edge)]'
              : 'text-ink-soft hover:text-ink',
          )}
        >
          <input
            type="radio"
            name="theme"
            value={value}
            checked={theme === value}
            onChange={() => setTheme(value)}
            className="sr-only"
          />
          <Icon size={16} aria-hidden />
          {label}
        </label>
      ))}
    </fieldset>
  )
}
