'use client'

import { Check, Copy } from 'lucide-react'
import { useSyncExternalStore } from 'react'
import { useCopy } from '@/components/chat/use-copy'
import { IconButton } from '@/components/ui/button'

const never = () => () => {}

/** A first call with a key, ready to be pasted. The key itself is read from the shell’s environment. */
export function Snippets() {
  // The server does not know by which name it is reached.
  const origin = useSyncExternalStore(
    never,
    () => window.location.origin,
    () => '',
  )
  const { copied, copy } = useCopy()
  const command = `curl ${origin}/api/projects \\\n  -H "Authorization: Bearer $AL_CHAT_KEY"`
  const label = copied ? 'Copied' : 'Copy the command'
  return (
    <div className="flex items-start gap-2 rounded-control bg-surface py-2 pr-2 pl-4">
      <pre className="min-w-0 flex-1 whitespace-pre-wrap break-words py-1.5 font-mono text-ui">{command}</pre>
      <IconButton label={label} size="small" onClick={() => copy(command)}>
        {copied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
      </IconButton>
    </div>
  )
}
