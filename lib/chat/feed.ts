import { publish } from '../bus'

/** Tells a user's open pages that a conversation is not what it was. */
export function announceConversation(userId: string, conversationId: string): void {
  publish(`chat:${userId}`, conversationId)
}
