'use client'

import { Dialog as Base } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import { type ReactNode, useRef } from 'react'
import { IconButton } from './button'
import { cn } from './class-names'

export type DialogProps = {
  open: boolean
  onOpenChange: (open: boolean) => void
  title: string
  description?: ReactNode
  /** 640 px, for long forms, in place of 480 px. */
  wide?: boolean
  /** Keeps the title for screen readers alone. */
  bare?: boolean
  children: ReactNode
}

export type SheetProps = {
  open: boolean
  onOpenChange: (open: boolean) => void
  label: string
  children: ReactNode
}

function findFirstInput(popup: HTMLElement | null): HTMLElement | null {
  return popup?.querySelector<HTMLElement>('input:not([aria-hidden]):not([type=hidden]), textarea') ?? null
}

/** A modal window. Escape and a press outside close it; focus goes back where it came from. */
export function DialogWindow({ open, onOpenChange, title, description, wide, bare, children }: DialogProps) {
  const popupRef = useRef<HTMLDivElement>(null)
  return (
    <Base.Root open={open} onOpenChange={onOpenChange}>
      <Base.Portal>
        <Base.Backdrop className="fade-motion fixed inset-0 z-40 bg-black/36" />
        <Base.Viewport className="fixed inset-0 z-40 flex items-start justify-center overflow-y-auto p-4 sm:py-[10vh]">
          <Base.Popup
            ref={popupRef}
            // To the first thing to fill in; a phone's keyboard comes up only where typing is all there is to do.
            initialFocus={(by) =>
              by === 'touch' && !bare ? true : (findFirstInput(popupRef.current) ?? true)
            }
            className={cn(
              'float-motion relative w-full rounded-panel bg-raised shadow-float outline-none',
              wide ? 'max-w-[640px]' : 'max-w-[480px]',
            )}
          >
            <div
              className={
                bare ? 'sr-only' : 'flex items-start justify-between gap-4 px-4 pt-4 sm:px-6 sm:pt-5'
              }
            >
              <div className="flex flex-col gap-1">
                <Base.Title className="font-semibold text-body">{title}</Base.Title>
                {description ? (
                  <Base.Description className="text-pretty text-ink-soft text-ui">
                    {description}
                  </Base.Description>
                ) : null}
              </div>
              <Base.Close render={<IconButton label="Close" size="small" className="-mt-1 -mr-2" />}>
                <X size={16} aria-hidden />
              </Base.Close>
            </div>
            {children}
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  )
}

/** A panel from the left edge: the sidebar on a phone. */
export function SheetWindow({ open, onOpenChange, label, children }: SheetProps) {
  return (
    <Base.Root open={open} onOpenChange={onOpenChange}>
      <Base.Portal>
        <Base.Backdrop className="fade-motion fixed inset-0 z-30 bg-black/36" />
        <Base.Popup className="sheet-motion fixed inset-y-0 left-0 z-30 flex w-[min(320px,86vw)] flex-col bg-surface shadow-float outline-none">
          <Base.Title className="sr-only">{label}</Base.Title>
          {children}
          <Base.Close className="sr-only">Close {label.toLowerCase()}</Base.Close>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
