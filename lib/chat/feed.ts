import { publish, subscribe } from '../bus'

const topicOf = (userId: string) => `chat:${userId}`

/** Tells a user's open pages that a conversation is not what it was. */
export function announceConversation(userId: string, conversationId: string): void {
  publish(topicOf(userId), conversationId)
}

/** Hears which of a user's conversations changed, until the returned function is called. */
export function hearConversations(userId: string, hear: (conversationId: string) => void): () => void {
  return subscribe(topicOf(userId), (id) => hear(id as string))
}
