'use client'

import { Dialog, DialogBody } from '@/components/ui/dialog'
import { Kbd } from '@/components/ui/status'
import { useModifierKey } from './preferences'

const shortcuts: { keys: string[]; does: string }[] = [
  { keys: ['mod', 'K'], does: 'Search and go anywhere' },
  { keys: ['mod', '⇧', 'O'], does: 'New chat' },
  { keys: ['↵'], does: 'Send the message' },
  { keys: ['⇧', '↵'], does: 'New line in the message' },
  { keys: ['↑'], does: 'Edit your last message' },
  { keys: ['/'], does: 'Insert a prompt' },
  { keys: ['N'], does: 'New key, on the pages of keys' },
  { keys: ['Esc'], does: 'Stop the answer, or close' },
  { keys: ['?'], does: 'This list' },
]

/** Every shortcut there is. */
export function ShortcutList({
  open,
  onOpenChange,
}: {
  open: boolean
  onOpenChange: (open: boolean) => void
}) {
  const modifier = useModifierKey()
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Keyboard shortcuts">
      <DialogBody>
        <dl className="flex flex-col pb-2">
          {shortcuts.map(({ keys, does }) => (
            <div key={does} className="flex items-center justify-between gap-4 border-b py-2 last:border-0">
              <dt className="text-ui">{does}</dt>
              <dd className="flex gap-1">
                {keys.map((key) => (
                  <Kbd key={key}>{key === 'mod' ? modifier : key}</Kbd>
                ))}
              </dd>
            </div>
          ))}
        </dl>
      </DialogBody>
    </Dialog>
  )
}
