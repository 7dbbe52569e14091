import type { ReplyEvent } from '@/lib/contracts/conversations'
import type { LiveEvent } from '@/lib/contracts/events'

/** How the browser's connection stands; at first, and until it fails, it counts as up. */
export type LinkState = 'up' | 'lost' | 'signed_out'

/** One event of a reply; `seq` counts from 0 without gaps. */
export type ReplyFrame = ReplyEvent & { seq: number }

/** News of the user's conversations. */
export type News = Extract<LiveEvent, { type: 'conversation' | 'conversation_deleted' }>

/** What a tab tells the hub. */
export type TabMessage =
  /** `after` is the last frame that the tab has; -1 for none. `follow` is the tab's own number for it. */
  | { type: 'follow'; follow: number; replyId: string; after: number }
  | { type: 'unfollow'; follow: number }
  /** Somebody looks at the tab: a good time to look whether the connection is. */
  | { type: 'seen' }
  /** The network is back, so what was connected before may be dead. */
  | { type: 'online' }
  | { type: 'pong' }
  | { type: 'leave' }

/** What the hub tells a tab. */
export type HubMessage =
  | { type: 'ping' }
  | { type: 'link'; state: LinkState }
  /** From here on every change is told; what changed before may have been missed. */
  | { type: 'hello' }
  | { type: 'news'; news: News[] }
  | { type: 'frames'; follow: number; frames: ReplyFrame[] }
  /** The reply is not there (any more). */
  | { type: 'gone'; follow: number }
  /** The tab did not answer for so long that the hub has forgotten it. */
  | { type: 'dropped' }

const terminal: ReadonlySet<string> = new Set(['completed', 'stopped', 'interrupted', 'failed'])

/** Whether this frame is the last of its reply; it carries the whole message. */
export function isEnd({ type }: { type: ReplyEvent['type'] }): boolean {
  return terminal.has(type)
}

/** Hub and tabs ask after each other this often, in milliseconds. */
export const pingEveryMs = 15_000
/** Who has not answered for so many times is gone. */
export const maxSilentPings = 3

/** What the worker of a user's hub is called. */
export function hubName(userId: string): string {
  return `al-chat:${userId}`
}
