'use client'

import './chat.css'
import { useCallback, useEffect } from 'react'
import type { ConversationRecord } from '@/lib/contracts/conversations'
import type { AgentRecord, PromptRecord } from '@/lib/contracts/projects'
import { Button } from '../ui/button'
import { FailureNote } from '../ui/failure'
import { Loading, Skeleton } from '../ui/status'
import type { LaunchableAgent } from './agent-switcher'
import { ChatView } from './chat-view'
import { mergeIntoList } from './conversation-store'
import type { OpeningView } from './opening'
import { openSession } from './session'
import { useOpenConversation } from './use-open-conversation'

type ChatPageProps = {
  agent: AgentRecord
  agents: readonly LaunchableAgent[]
  prompts: readonly PromptRecord[]
  /** Null for a new chat. */
  view: OpeningView | null
}

/** The shape of a conversation while it loads. */
function ChatSkeleton() {
  return (
    <Loading label="Loading the conversation" className="mx-auto w-full max-w-transcript px-4 pt-6 md:px-6">
      <div className="flex flex-col gap-6">
        <Skeleton className="h-12 w-2/5 self-end rounded-composer" />
        <div className="flex flex-col gap-3">
          <Skeleton className="h-4 w-11/12" />
          <Skeleton className="h-4 w-full" />
          <Skeleton className="h-4 w-3/5" />
        </div>
      </div>
    </Loading>
  )
}

/** The chat: a conversation of an agent, or an empty one that its first message makes real. */
export function ChatPage({ agent, agents, prompts, view }: ChatPageProps) {
  const [open, setCreated] = useOpenConversation(view)
  useEffect(openSession, [])
  const showCreated = useCallback(
    (conversation: ConversationRecord) => {
      setCreated(conversation.id)
      mergeIntoList([conversation])
      window.history.replaceState(null, '', `/chat/${agent.id}/${conversation.id}`)
    },
    [agent.id, setCreated],
  )
  if (open.is === 'loading') return <ChatSkeleton />
  if (open.is === 'failed') {
    return (
      <div className="mx-auto flex max-w-transcript flex-col items-start gap-4 px-6 pt-12">
        <FailureNote failure={open.failure} />
        <Button onClick={open.retry}>Load again</Button>
      </div>
    )
  }
  return (
    <ChatView
      key={open.key}
      agent={agent}
      agents={agents}
      prompts={prompts}
      view={open.view}
      onCreated={showCreated}
    />
  )
}
