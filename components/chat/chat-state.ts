import type { ConversationRecord, MessageRecord, MessageStatus } from '@/lib/contracts/conversations'
import { graft, type MessageTree, newestLeaf, pathTo, plantTree, prune } from './message-tree'

/** Something that went wrong, in the reader's words, and what helps. */
export type Problem = {
  message: string
  remedy: 'retry' | 'sign_in' | 'reload' | 'none'
  requestId?: string
}

/** A user's message that the server has not confirmed yet. */
export type Send = {
  state: 'sending' | 'unsent'
  /** Set when this is an edit: the message that it stands beside. */
  editOf?: string
  problem?: Problem
}

export type ChatState = {
  conversationId: string | null
  tree: MessageTree
  /** The end of the branch that is shown. */
  leafId: string | null
  sends: Readonly<Record<string, Send>>
  /** Replies that are being followed, by the id of the assistant message that each writes. */
  running: Readonly<Record<string, string>>
}

/** What a view of the server, an answer of it or the reader does to the state. */
export type ChatAction =
  | { type: 'conversation_opened'; conversationId: string }
  | {
      type: 'view_loaded'
      messages: readonly MessageRecord[]
      /** The end of the branch that was written or chosen last, on any device. */
      currentId: string | null
      runningReplyId: string | null
    }
  | { type: 'send_begun'; message: MessageRecord; editOf?: string | undefined }
  | { type: 'send_failed'; messageId: string; problem: Problem }
  | { type: 'send_discarded'; messageId: string }
  | {
      type: 'reply_opened'
      message: MessageRecord
      reply: { id: string; message_id: string }
      /** The id under which the page drew it before the server answered. */
      optimisticId: string
    }
  | { type: 'reply_ended'; message: MessageRecord }
  | { type: 'branch_chosen'; messageId: string }

type Opening = {
  conversationId: string | null
  messages: readonly MessageRecord[]
  leafId: string | null
  runningReplyId: string | null
}

function runningMessage(tree: MessageTree): MessageRecord | undefined {
  return [...tree.byId.values()].findLast(({ role, status }) => role === 'assistant' && status === 'running')
}

function withRunning(state: ChatState, runningReplyId: string | null): ChatState {
  const message = runningMessage(state.tree)
  if (runningReplyId === null || !message || state.running[message.id]) return state
  return { ...state, running: { ...state.running, [message.id]: runningReplyId } }
}

/** The state with which a page begins: what the server sent, on the branch that was last read. */
export function openChat({ conversationId, messages, leafId, runningReplyId }: Opening): ChatState {
  const tree = plantTree(messages)
  const leaf = leafId !== null && tree.byId.has(leafId) ? newestLeaf(tree, leafId) : newestLeaf(tree, null)
  return withRunning({ conversationId, tree, leafId: leaf, sends: {}, running: {} }, runningReplyId)
}

function without<T>(record: Readonly<Record<string, T>>, id: string): Readonly<Record<string, T>> {
  const { [id]: _gone, ...rest } = record
  return rest
}

const isOver = (status: MessageStatus): boolean => status !== 'running'

/**
 * What is shown after news: someone reading the end of a branch wants what was added to it elsewhere, also where that
 * began a new branch beside it. What this page has not sent yet stays in sight.
 */
function leafAfter(before: ChatState, tree: MessageTree, currentId: string | null): string | null {
  const shown = newestLeaf(tree, before.leafId)
  const isNew = currentId !== null && tree.byId.has(currentId) && !before.tree.byId.has(currentId)
  if (!isNew || (before.leafId !== null && before.sends[before.leafId])) return shown
  const forkId = pathTo(tree, currentId).findLast(({ id }) => before.tree.byId.has(id))?.id
  const isBesideShown = !forkId || pathTo(before.tree, before.leafId).some(({ id }) => id === forkId)
  return isBesideShown ? newestLeaf(tree, currentId) : shown
}

/** A view that was read earlier never undoes what this page already saw end. */
function mergeView(
  state: ChatState,
  messages: readonly MessageRecord[],
  currentId: string | null,
): ChatState {
  const news = messages.filter((message) => {
    const known = state.tree.byId.get(message.id)
    return !known || !isOver(known.status) || isOver(message.status)
  })
  const tree = graft(state.tree, news)
  const ended = news.filter(({ id, status }) => isOver(status) && state.running[id])
  const confirmed = news.filter(({ id }) => state.sends[id])
  return {
    ...state,
    tree,
    leafId: leafAfter(state, tree, currentId),
    running: ended.reduce((running, { id }) => without(running, id), state.running),
    sends: confirmed.reduce((sends, { id }) => without(sends, id), state.sends),
  }
}

/** A time that makes a new answer the newest of its siblings, whatever this device's clock says. */
function afterSiblings(tree: MessageTree, parentId: string | null, floor: string): string {
  const times = (tree.children.get(parentId) ?? []).map((id) => tree.byId.get(id)?.created_at ?? floor)
  return new Date(Math.max(...[floor, ...times].map(Date.parse)) + 1).toISOString()
}

function openReply(state: ChatState, action: Extract<ChatAction, { type: 'reply_opened' }>): ChatState {
  const { message, reply, optimisticId } = action
  const isStandIn = optimisticId !== message.id && optimisticId !== reply.message_id
  const before = isStandIn ? prune(state.tree, optimisticId) : state.tree
  const known = before.byId.get(reply.message_id)
  const parentId = message.role === 'assistant' ? message.parent_id : message.id
  const answer: MessageRecord =
    message.id === reply.message_id
      ? message
      : (known ?? {
          id: reply.message_id,
          parent_id: parentId,
          role: 'assistant',
          status: 'running',
          parts: [],
          text: '',
          created_at: afterSiblings(before, parentId, message.created_at),
        })
  const next = {
    ...state,
    tree: graft(before, [message, answer]),
    leafId: answer.id,
    sends: without(state.sends, optimisticId),
  }
  if (isOver(answer.status)) return next
  return { ...next, running: { ...state.running, [answer.id]: reply.id } }
}

function beginSend(state: ChatState, message: MessageRecord, editOf: string | undefined): ChatState {
  const send: Send = editOf === undefined ? { state: 'sending' } : { state: 'sending', editOf }
  const sends = { ...state.sends, [message.id]: send }
  return { ...state, tree: graft(state.tree, [message]), leafId: message.id, sends }
}

function discardSend(state: ChatState, messageId: string): ChatState {
  const message = state.tree.byId.get(messageId)
  const tree = prune(state.tree, messageId)
  return {
    ...state,
    tree,
    leafId: state.leafId === messageId ? newestLeaf(tree, message?.parent_id ?? null) : state.leafId,
    sends: without(state.sends, messageId),
  }
}

/** The one place where the state of an open conversation changes. */
export function chatReducer(state: ChatState, action: ChatAction): ChatState {
  switch (action.type) {
    case 'conversation_opened':
      return { ...state, conversationId: action.conversationId }
    case 'view_loaded':
      return withRunning(mergeView(state, action.messages, action.currentId), action.runningReplyId)
    case 'send_begun':
      return beginSend(state, action.message, action.editOf)
    case 'send_failed': {
      const send = state.sends[action.messageId]
      if (!send) return state
      const unsent: Send = { ...send, state: 'unsent', problem: action.problem }
      return { ...state, sends: { ...state.sends, [action.messageId]: unsent } }
    }
    case 'send_discarded':
      return discardSend(state, action.messageId)
    case 'reply_opened':
      return openReply(state, action)
    case 'reply_ended':
      return {
        ...state,
        tree: graft(state.tree, [action.message]),
        running: without(state.running, action.message.id),
      }
    case 'branch_chosen':
      return { ...state, leafId: newestLeaf(state.tree, action.messageId) }
  }
}

/** What the next message answers to: the end of the branch, skipping what the server never got. */
export function parentForNextMessage({ tree, leafId, sends }: ChatState): string | null {
  let id = leafId
  while (id !== null && sends[id]) id = tree.byId.get(id)?.parent_id ?? null
  return id
}

/** Whether a message or an answer was begun elsewhere that is not here yet, by what the list knows of the conversation. */
export function isBehind({ tree, running, sends }: ChatState, record: ConversationRecord): boolean {
  // What is on its way from here will be told by its own answer.
  if (Object.values(sends).some(({ state }) => state === 'sending')) return false
  const { current_message_id: currentId } = record
  if (currentId !== null && !tree.byId.has(currentId)) return true
  return record.running && Object.keys(running).length === 0
}
