import type { Dispatch } from 'react'
import { v7 as newId } from 'uuid'
import type { ConversationRecord, FilePart, OpenedReply } from '@/lib/contracts/conversations'
import { asRequestError, request } from '../ui/request'
import { notifyFailure } from '../ui/toast'
import { type ChatAction, type ChatState, parentForNextMessage } from './chat-state'
import { draftKey, type OutboxEntry, putInOutbox, takeFromOutbox } from './draft-store'
import { filesOf } from './message-files'
import { draftMessage } from './opening'
import { describeRefusal } from './problem'

/** What the reader can do; the object stays the same for the life of the page. */
export type ChatDeeds = {
  send(text: string, files?: FilePart[]): void
  retry(messageId: string): void
  /** Gives an unsent message up and returns what was in it. */
  discard(messageId: string): Unsent
  edit(messageId: string, text: string): void
  regenerate(messageId: string): void
  /** Goes on with an answer that broke off. */
  continueAnswer(messageId: string): void
  chooseVersion(messageId: string): void
  stop(): void
}

/** What somebody wanted to send. */
export type Unsent = { text: string; files: FilePart[] }

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
  return leafId === null ? undefined : running[leafId]
}

/** Whether something is on its way on the shown branch: a message out or a reply in. */
export function isBusy(state: ChatState): boolean {
  const { leafId, sends } = state
  return shownReply(state) !== undefined || (leafId !== null && sends[leafId]?.state === 'sending')
}

class OpenChat implements ChatDeeds {
  readonly #context: DeedsContext
  // Filled by the first message; a retry must not make a second conversation.
  #conversationId: string | null
  #stopWanted = false

  constructor(context: DeedsContext, conversationId: string | null) {
    this.#context = context
    this.#conversationId = conversationId
  }

  get #outbox(): string {
    return draftKey(this.#context.agentId, this.#conversationId)
  }

  async #stopReply(replyId: string): Promise<void> {
    this.#context.onStopping(replyId)
    try {
      await request('DELETE', `/api/replies/${replyId}`)
    } catch (error) {
      this.#context.onStopping(undefined)
      notifyFailure('The answer could not be stopped', error)
    }
  }

  async #ensureConversation(entry: OutboxEntry): Promise<string> {
    if (this.#conversationId !== null) return this.#conversationId
    const address = `/api/agents/${this.#context.agentId}/conversations`
    const { conversation } = await request<{ conversation: ConversationRecord }>('POST', address, {})
    takeFromOutbox(this.#outbox, entry.id)
    this.#conversationId = conversation.id
    putInOutbox(this.#outbox, entry)
    this.#context.dispatch({ type: 'conversation_opened', conversationId: conversation.id })
    this.#context.onCreated(conversation)
    return conversation.id
  }

  #openReply({ message, reply }: OpenedReply, optimisticId: string): void {
    this.#context.dispatch({ type: 'reply_opened', message, reply, optimisticId })
    if (this.#stopWanted) void this.#stopReply(reply.id)
    this.#stopWanted = false
  }

  async #post(entry: OutboxEntry, conversation: string): Promise<OpenedReply> {
    const { id, parent_id, text, files = [], editOf } = entry
    if (editOf) return request('POST', `/api/messages/${editOf}/edit`, { id, text })
    const file_ids = files.length === 0 ? undefined : files.map(({ file_id }) => file_id)
    return request('POST', `/api/conversations/${conversation}/messages`, { id, parent_id, text, file_ids })
  }

  async #deliver(entry: OutboxEntry): Promise<void> {
    const { id, parent_id, text, files, editOf } = entry
    const { dispatch } = this.#context
    putInOutbox(this.#outbox, entry)
    const message = draftMessage({ id, parent_id, role: 'user', text }, files)
    dispatch({ type: 'send_begun', message, editOf })
    try {
      const answer = await this.#post(entry, await this.#ensureConversation(entry))
      takeFromOutbox(this.#outbox, id)
      this.#openReply(answer, id)
    } catch (error) {
      this.#stopWanted = false
      dispatch({ type: 'send_failed', messageId: id, problem: describeRefusal(asRequestError(error)) })
    }
  }

  async #writeAgain(messageId: string, how: 'regenerate' | 'continue'): Promise<void> {
    const { dispatch, read } = this.#context
    const before = read().tree.byId.get(messageId)
    if (!before) return
    const id = newId()
    const message = draftMessage({ id, parent_id: before.parent_id, role: 'assistant', text: '' })
    dispatch({ type: 'send_begun', message })
    try {
      this.#openReply(await request<OpenedReply>('POST', `/api/messages/${messageId}/${how}`, { id }), id)
    } catch (error) {
      this.#stopWanted = false
      dispatch({ type: 'send_discarded', messageId: id })
      notifyFailure('There is no new answer', error)
    }
  }

  send(text: string, files: FilePart[] = []): void {
    const parent_id = parentForNextMessage(this.#context.read())
    void this.#deliver({ id: newId(), parent_id, text, ...(files.length > 0 && { files }) })
  }

  retry(messageId: string): void {
    const { tree, sends } = this.#context.read()
    const message = tree.byId.get(messageId)
    const editOf = sends[messageId]?.editOf
    if (!message) return
    const { id, parent_id, text } = message
    void this.#deliver({ id, parent_id, text, files: filesOf(message), ...(editOf && { editOf }) })
  }

  discard(messageId: string): Unsent {
    const message = this.#context.read().tree.byId.get(messageId)
    takeFromOutbox(this.#outbox, messageId)
    this.#context.dispatch({ type: 'send_discarded', messageId })
    return { text: message?.text ?? '', files: message ? filesOf(message) : [] }
  }

  edit(messageId: string, text: string): void {
    const before = this.#context.read().tree.byId.get(messageId)
    if (!before) return
    const { parent_id } = before
    void this.#deliver({ id: newId(), parent_id, text, files: filesOf(before), editOf: messageId })
  }

  regenerate(messageId: string): void {
    void this.#writeAgain(messageId, 'regenerate')
  }

  continueAnswer(messageId: string): void {
    void this.#writeAgain(messageId, 'continue')
  }

  chooseVersion(messageId: string): void {
    const { dispatch, read } = this.#context
    dispatch({ type: 'branch_chosen', messageId })
    if (this.#conversationId === null || read().sends[messageId]) return
    // Where the reader is, is kept for the next visit; losing it would harm nobody.
    const place = { current_message_id: messageId }
    request('PATCH', `/api/conversations/${this.#conversationId}`, place).catch(() => {})
  }

  stop(): void {
    const replyId = shownReply(this.#context.read())
    if (replyId === undefined) this.#stopWanted = true
    else void this.#stopReply(replyId)
  }
}

/** Makes the deeds of one open conversation; `openedId` is null for a new one. */
export function createChatDeeds(context: DeedsContext, openedId: string | null): ChatDeeds {
  return new OpenChat(context, openedId)
}
