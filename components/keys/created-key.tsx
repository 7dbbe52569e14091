'use client'

import { Check, Copy, TriangleAlert } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { useCopy } from '@/components/chat/use-copy'
import { Button } from '@/components/ui/button'
import { DialogActions, DialogBody } from '@/components/ui/dialog'
import type { KeyRecord } from '@/lib/contracts/keys'
import type { ModelChoice } from './model-picker'
import { UseIt } from './use-it'

type CreatedKeyProps = {
  record: KeyRecord
  /** What a first call can ask. */
  models: readonly ModelChoice[]
  /** Fills the element with the key. */
  show: (element: HTMLElement) => void
  /** Somebody tried to close the window before the key was copied. */
  isHeld: boolean
  onCopied: () => void
  close: () => void
}

/** The key, this once. It stands in the element alone and goes with it. */
export function CreatedKeyPanel({ record, models, show, isHeld, onCopied, close }: CreatedKeyProps) {
  const element = useRef<HTMLElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const { copied, copy } = useCopy()
  useEffect(() => {
    const code = element.current
    if (!code) return
    show(code)
    // The button that was pressed is gone; this is what comes next.
    button.current?.focus()
    const wipe = () => {
      code.textContent = ''
    }
    // A page that the browser keeps, to come back to, is kept with what it shows.
    window.addEventListener('pagehide', wipe)
    return () => window.removeEventListener('pagehide', wipe)
  }, [show])

  return (
    <>
      <DialogBody>
        <div className="flex items-center gap-2 rounded-control border border-edge bg-canvas py-1.5 pr-1.5 pl-3">
          <code ref={element} className="min-w-0 flex-1 select-all break-all font-mono text-ui" />
          <Button
            size="small"
            look={copied ? 'secondary' : 'primary'}
            icon={copied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
            ref={button}
            onClick={() => {
              copy(element.current?.textContent ?? '')
              onCopied()
            }}
          >
            {copied ? 'Copied' : 'Copy'}
          </Button>
        </div>
        <p
          role={isHeld ? 'alert' : undefined}
          className={isHeld ? 'flex gap-2 text-ui text-warn' : 'flex gap-2 text-ink-soft text-ui'}
        >
          <TriangleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-warn" />
          {isHeld
            ? 'It is not copied yet, and cannot be shown again. Copy it, or press Done to go without.'
            : 'Keep it where secrets are kept, not in code. Who has it can act in your name.'}
        </p>
        {record.scopes.includes('gateway') ? (
          <section aria-label="A first call" className="min-w-0">
            <h3 className="font-medium text-ui">A first call</h3>
            <p className="pb-1 text-ink-soft text-label">
              What you copy or try here has the key in it, and counts as its use.
            </p>
            <UseIt models={models} readKey={() => element.current?.textContent ?? ''} onCopied={onCopied} />
          </section>
        ) : null}
      </DialogBody>
      <DialogActions>
        <Button onClick={close}>Done</Button>
      </DialogActions>
    </>
  )
}
