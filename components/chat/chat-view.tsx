'use client'

import { ArrowDown } from 'lucide-react'
import dynamic from 'next/dynamic'
import { type ReactNode, type RefObject, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { ConversationRecord } from '@/lib/contracts/conversations'
import type { AgentRecord, PromptRecord } from '@/lib/contracts/projects'
import { AgentSwitcher, type LaunchableAgent, modelLabel } from './agent-switcher'
import { prepareAnswers } from './answer'
import { isBusy, type Unsent } from './chat-deeds'
import { ChatNotice } from './chat-notice'
import { Composer } from './composer'
import { draftKey } from './draft-store'
import { EmptyIntro, Starters } from './empty-chat'
import type { OpeningView } from './opening'
import { Transcript } from './transcript'
import { listTurns } from './turns'
import { useAnnouncement } from './use-announcement'
import { useAttachments, useFileDrop } from './use-attachments'
import { useChat } from './use-chat'
import { useDraft } from './use-draft'
import { useEscape, useFirstFocus, useWindowTitle } from './use-manners'
import { usePrompts } from './use-prompts'
import { useStickToEnd } from './use-stick-to-end'

const PromptForm = dynamic(() => import('./prompt-form').then((module) => module.PromptForm))

type ChatViewProps = {
  agent: AgentRecord
  agents: readonly LaunchableAgent[]
  prompts: readonly PromptRecord[]
  view: OpeningView | null
  onCreated: (conversation: ConversationRecord) => void
}

function JumpToEnd({ onJump }: { onJump: () => void }) {
  return (
    <div className="pointer-events-none absolute inset-x-0 bottom-full mb-3 flex justify-center">
      <button
        type="button"
        aria-label="Jump to the latest message"
        title="Jump to the latest message"
        onClick={onJump}
        className="pointer-events-auto flex size-9 pointer-coarse:size-11 items-center justify-center rounded-full bg-raised shadow-float transition-colors hover:bg-surface"
      >
        <ArrowDown size={18} aria-hidden />
      </button>
    </div>
  )
}

type FootProps = {
  atEnd: boolean
  onJump: () => void
  isDropTarget: boolean
  notice: ReactNode
  children: ReactNode
}

/** Where the composer stands: at the end of the page, and always in sight. */
function Foot({ atEnd, onJump, isDropTarget, notice, children }: FootProps) {
  return (
    <div className="composer-foot sticky bottom-0 z-10 max-md:order-2">
      <div className="relative mx-auto w-full max-w-transcript px-4 pb-3 md:px-6 md:pb-5">
        {atEnd ? null : <JumpToEnd onJump={onJump} />}
        {notice}
        {isDropTarget ? (
          <p className="pointer-events-none absolute inset-x-4 bottom-full mb-3 rounded-panel bg-raised py-3 text-center text-ui shadow-float md:inset-x-6">
            Drop the files to attach them.
          </p>
        ) : null}
        {children}
      </div>
    </div>
  )
}

/** The composer's text and its prompts; `add` puts text back that was not sent. */
function useComposing(key: string, prompts: readonly PromptRecord[]) {
  const area = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useDraft(key)
  const textNow = useRef(text)
  textNow.current = text
  const add = useCallback(
    (added: string) => {
      setText([textNow.current, added].filter((piece) => piece !== '').join('\n\n'))
      area.current?.focus()
    },
    [setText],
  )
  const picking = usePrompts(prompts, text, (filled) => {
    setText(filled)
    area.current?.focus()
  })
  return { area, text, setText, add, picking }
}

/** Which message is being edited in its place. */
function useEditing(area: RefObject<HTMLTextAreaElement | null>) {
  const [editingId, setEditingId] = useState<string | null>(null)
  const edit = useCallback(
    (messageId: string | null) => {
      setEditingId(messageId)
      if (messageId === null) area.current?.focus({ preventScroll: true })
    },
    [area],
  )
  return { editingId, edit }
}

function useChatView({ agent, prompts, view, onCreated }: ChatViewProps) {
  const chat = useChat({ agentId: agent.id, view, onCreated })
  const { state, deeds, link } = chat
  const turns = useMemo(() => listTurns(state, link !== 'lost'), [state, link])
  const busy = isBusy(state)
  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const { atEnd, jumpToEnd } = useStickToEnd(scroller, content)
  const composing = useComposing(draftKey(agent.id, state.conversationId), prompts)
  const { area, setText } = composing
  const attachments = useAttachments(draftKey(agent.id, state.conversationId), agent.id)
  const drop = useFileDrop((files) => attachments.store.add(files))
  const { add } = composing
  const { store } = attachments
  const takeBack = useCallback(
    ({ text, files }: Unsent): void => {
      store.put(files)
      add(text)
    },
    [store, add],
  )
  const editing = useEditing(area)
  const title = chat.record?.title ?? view?.conversation.title

  useEscape(busy && editing.editingId === null, () => deeds.stop())
  useWindowTitle(title)
  useFirstFocus(area)
  useEffect(prepareAnswers, [])

  const send = (message: string): void => {
    setText('')
    deeds.send(message, attachments.store.take())
    jumpToEnd()
    area.current?.focus({ preventScroll: true })
  }
  const jump = (): void => {
    jumpToEnd()
    // The button goes away with the focus on it.
    if (matchMedia('(pointer: fine)').matches) area.current?.focus({ preventScroll: true })
  }
  const editLast = (): void => {
    const last = turns.findLast(({ message, send: sending }) => message.role === 'user' && !sending)
    if (last && !busy) editing.edit(last.message.id)
  }
  return {
    ...chat,
    ...composing,
    attachments,
    drop,
    takeBack,
    ...editing,
    turns,
    busy,
    scroller,
    content,
    atEnd,
    title,
    send,
    jump,
    editLast,
  }
}

/** One conversation on the screen: its messages and the composer beneath them. */
export function ChatView(props: ChatViewProps) {
  const { agent, agents, prompts } = props
  const chat = useChatView(props)
  const { turns, busy, deeds, picking } = chat
  const announcement = useAnnouncement(turns.at(-1)?.message)
  const isEmpty = turns.length === 0
  return (
    <div
      ref={chat.scroller}
      data-scroller
      data-busy={busy || chat.isGone || undefined}
      {...chat.drop.target}
      // Turned round by useStickToEnd as soon as the script runs.
      style={{ flexDirection: 'column-reverse' }}
      className="flex h-full overflow-y-auto overscroll-contain [scrollbar-gutter:stable]"
    >
      <div ref={chat.content} className="flex min-h-full shrink-0 flex-col">
        {isEmpty ? (
          <EmptyIntro agent={agent} />
        ) : (
          <>
            <h1 className="sr-only">{chat.title || `Chat with ${agent.name}`}</h1>
            <Transcript
              turns={turns}
              live={chat.live}
              deeds={deeds}
              settingsHref={`/projects/${agent.project_id}/agents/${agent.id}`}
              isDemo={agent.model_provider === 'demo'}
              editingId={chat.editingId}
              onEdit={chat.edit}
              onTakeBack={chat.takeBack}
            />
          </>
        )}
        <Foot
          atEnd={chat.atEnd}
          onJump={chat.jump}
          isDropTarget={chat.drop.isOver}
          notice={<ChatNotice isGone={chat.isGone} link={chat.link} agentId={agent.id} draft={chat.text} />}
        >
          <Composer
            area={chat.area}
            text={chat.text}
            onText={chat.setText}
            onSend={chat.send}
            onEditLast={chat.editLast}
            files={chat.attachments.items}
            attachments={chat.attachments.store}
            busy={busy}
            stopping={chat.stopping}
            onStop={() => deeds.stop()}
            agentName={agent.name}
            prompts={picking}
          >
            <AgentSwitcher agent={agent} agents={agents} model={modelLabel(agent, turns)} />
          </Composer>
        </Foot>
        {isEmpty ? <Starters prompts={prompts} onStart={picking.pick} /> : null}
      </div>
      <p role="status" aria-live="polite" className="sr-only">
        {announcement}
      </p>
      {picking.asking ? (
        <PromptForm prompt={picking.asking} onFill={picking.fill} onClose={picking.stopAsking} />
      ) : null}
    </div>
  )
}
