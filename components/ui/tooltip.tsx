'use client'

import { Tooltip as Base } from '@base-ui/react/tooltip'
import type { ReactElement, ReactNode } from 'react'

/** Groups tooltips, so that the second one opens without waiting. Stands once, around the page. */
export function TooltipProvider({ children }: { children: ReactNode }) {
  return (
    <Base.Provider delay={500} closeDelay={0}>
      {children}
    </Base.Provider>
  )
}

type TooltipProps = { label: ReactNode; side?: 'top' | 'bottom' | 'left' | 'right'; children: ReactElement }

/** Names what an icon does. It repeats the icon's own label and never says something new. */
export function Tooltip({ label, side = 'bottom', children }: TooltipProps) {
  return (
    <Base.Root>
      <Base.Trigger render={children} />
      <Base.Portal>
        <Base.Positioner side={side} sideOffset={6} collisionPadding={8} className="z-50">
          <Base.Popup className="fade-motion flex items-center gap-2 rounded-[6px] bg-ink px-2 py-1 text-canvas text-label">
            {label}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
