import type { Dispatch } from 'react'
import { v7 as newId } from 'uuid'
import type { ConversationRecord, OpenedReply } from '@/lib/contracts/conversations'
import { asRequestError, request } from '../ui/request'
import { notifyFailure } from '../ui/toast'
import { type ChatAction, type ChatState, parentForNextMessage } from './chat-state'
import { refreshList } from './conversation-store'
import { draftKey, type OutboxEntry, putInOutbox, takeFromOutbox } from './draft-store'
import { draftMessage } from './opening'
import { describeRefusal } from './problem'

/** What the reader can do; the object stays the same for the life of the page. */
export type ChatDeeds = {
  send(text: string): void
  retry(messageId: string): void
  /** Gives an unsent message up and returns its text. */
  discard(messageId: string): string
  edit(messageId: string, text: string): void
  regenerate(messageId: string): void
  chooseVersion(messageId: string): void
  stop(): void
}

export type DeedsContext = {
  agentId: string
  dispatch: Dispatch<ChatAction>
  /** The state as it is now. */
  read(): ChatState
  /** Called once, when the first message has made the conversation. */
  onCreated(conversation: ConversationRecord): void
  onStopping(replyId: string | undefined): void
}

/** The reply that writes the shown branch's last message, if one does. */
export function shownReply({ running, leafId }: ChatState): string | undefined {
  return leafId === null ? undefined : running[leafId]?.replyId
}

/** Whether something is on its way on the shown branch: a message out or a reply in. */
export function isBusy(state: ChatState): boolean {
  const { leafId, sends } = state
  return shownReply(state) !== undefined || (leafId !== null && sends[leafId]?.state === 'sending')
}

/** Makes the deeds of one open conversation. */
export function createChatDeeds(context: DeedsContext, openedId: string | null): ChatDeeds {
  const { agentId, dispatch, read, onCreated, onStopping } = context
  // Filled by the first message; a retry must not make a second conversation.
  let conversationId = openedId
  let stopWanted = false
  const outbox = (): string => draftKey(agentId, conversationId)

  async function stopReply(replyId: string): Promise<void> {
    onStopping(replyId)
    try {
      await request('DELETE', `/api/replies/${replyId}`)
    } catch (error) {
      onStopping(undefined)
      notifyFailure('The answer could not be stopped', error)
    }
  }

  async function ensureConversation(entry: OutboxEntry): Promise<string> {
    if (conversationId !== null) return conversationId
    const address = `/api/agents/${agentId}/conversations`
    const { conversation } = await request<{ conversation: ConversationRecord }>('POST', address, {})
    takeFromOutbox(outbox(), entry.id)
    conversationId = conversation.id
    putInOutbox(outbox(), entry)
    dispatch({ type: 'conversation_opened', conversationId })
    onCreated(conversation)
    return conversationId
  }

  function openReply({ message, reply }: OpenedReply, optimisticId: string): void {
    dispatch({ type: 'reply_opened', message, reply, optimisticId })
    if (stopWanted) void stopReply(reply.id)
    stopWanted = false
    void refreshList()
  }

  async function post(
    { id, parent_id, text, editOf }: OutboxEntry,
    conversation: string,
  ): Promise<OpenedReply> {
    if (editOf) return request('POST', `/api/messages/${editOf}/edit`, { id, text })
    return request('POST', `/api/conversations/${conversation}/messages`, { id, parent_id, text })
  }

  async function deliver(entry: OutboxEntry): Promise<void> {
    const { id, parent_id, text, editOf } = entry
    putInOutbox(outbox(), entry)
    dispatch({ type: 'send_begun', message: draftMessage({ id, parent_id, role: 'user', text }), editOf })
    try {
      const answer = await post(entry, await ensureConversation(entry))
      takeFromOutbox(outbox(), id)
      openReply(answer, id)
    } catch (error) {
      stopWanted = false
      dispatch({ type: 'send_failed', messageId: id, problem: describeRefusal(asRequestError(error)) })
    }
  }

  async function regenerate(messageId: string): Promise<void> {
    const before = read().tree.byId.get(messageId)
    if (!before) return
    const id = newId()
    const message = draftMessage({ id, parent_id: before.parent_id, role: 'assistant', text: '' })
    dispatch({ type: 'send_begun', message })
    try {
      openReply(await request<OpenedReply>('POST', `/api/messages/${messageId}/regenerate`, { id }), id)
    } catch (error) {
      stopWanted = false
      dispatch({ type: 'send_discarded', messageId: id })
      notifyFailure('There is no new answer', error)
    }
  }

  return {
    send: (text) => void deliver({ id: newId(), parent_id: parentForNextMessage(read()), text }),
    retry(messageId) {
      const { tree, sends } = read()
      const message = tree.byId.get(messageId)
      const editOf = sends[messageId]?.editOf
      if (!message) return
      const { id, parent_id, text } = message
      void deliver(editOf ? { id, parent_id, text, editOf } : { id, parent_id, text })
    },
    discard(messageId) {
      const text = read().tree.byId.get(messageId)?.text ?? ''
      takeFromOutbox(outbox(), messageId)
      dispatch({ type: 'send_discarded', messageId })
      return text
    },
    edit(messageId, text) {
      const before = read().tree.byId.get(messageId)
      if (before) void deliver({ id: newId(), parent_id: before.parent_id, text, editOf: messageId })
    },
    regenerate: (messageId) => void regenerate(messageId),
    chooseVersion(messageId) {
      dispatch({ type: 'branch_chosen', messageId })
      if (conversationId === null || read().sends[messageId]) return
      // Where the reader is, is kept for the next visit; losing it would harm nobody.
      const place = { current_message_id: messageId }
      request('PATCH', `/api/conversations/${conversationId}`, place).catch(() => {})
    },
    stop() {
      const replyId = shownReply(read())
      if (replyId === undefined) stopWanted = true
      else void stopReply(replyId)
    },
  }
}
