'use client'

import type { ReactNode } from 'react'
import type { LinkState } from '../live/protocol'
import { LinkButton } from '../ui/link-button'
import { draftKey, keepDraft, readDraft } from './draft-store'

function Notice({ children }: { children: ReactNode }) {
  return (
    <div
      role="alert"
      className="mb-2 flex flex-wrap items-center justify-between gap-x-4 gap-y-2 rounded-panel bg-warn/10 px-4 py-2 text-ui"
    >
      {children}
    </div>
  )
}

function SignedOut() {
  return (
    <Notice>
      <p>You are signed out. Nothing is lost; what is being written is here when you are back.</p>
      <LinkButton size="small" href={`/login?next=${encodeURIComponent(window.location.pathname)}`}>
        Sign in
      </LinkButton>
    </Notice>
  )
}

type GoneProps = { agentId: string; draft: string }

function Gone({ agentId, draft }: GoneProps) {
  const takeAlong = (): void => {
    const key = draftKey(agentId, null)
    keepDraft(key, [readDraft(key), draft].filter((text) => text !== '').join('\n\n'))
  }
  return (
    <Notice>
      <p className="min-w-0 flex-1 basis-60">
        This conversation was deleted in another window or on another device.
      </p>
      <LinkButton size="small" href={`/chat/${agentId}`} onClick={takeAlong}>
        New chat
      </LinkButton>
    </Notice>
  )
}

type ChatNoticeProps = GoneProps & { isGone: boolean; link: LinkState }

/** What the reader has to know before writing more; nothing as long as all is well. `draft` goes along to a new chat. */
export function ChatNotice({ isGone, link, agentId, draft }: ChatNoticeProps) {
  if (isGone) return <Gone agentId={agentId} draft={draft} />
  return link === 'signed_out' ? <SignedOut /> : null
}
