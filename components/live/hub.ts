import type { Follows, LiveEvent } from '@/lib/contracts/events'
import { maxFollowedReplies } from '@/lib/contracts/limits'
import {
  type HubMessage,
  isEnd,
  type LinkState,
  maxSilentPings,
  type News,
  pingEveryMs,
  type ReplyFrame,
  type TabMessage,
} from './protocol'
import { Upstream, type UpstreamTimings, usualTimings } from './upstream'

/** Messages of one tab come one by one; so long after the first, all that it said is here. */
const gatherMs = 5

type Follow = { replyId: string; after: number }

type Tab = {
  post(message: HubMessage): void
  follows: Map<number, Follow>
  silentPings: number
}

export type HubOptions = { fetch?: typeof fetch; timings?: UpstreamTimings }

/**
 * Holds the one connection of a browser and serves all of its tabs: every tab gets all news, and of each reply that it
 * follows every frame once and in order, from where it is.
 */
export class Hub {
  readonly #tabs = new Set<Tab>()
  readonly #upstream: Upstream
  #state: LinkState = 'up'
  #pinging: ReturnType<typeof setInterval> | undefined
  #looking: ReturnType<typeof setTimeout> | undefined

  constructor(userId: string, options: HubOptions = {}) {
    this.#upstream = new Upstream(
      {
        userId,
        follows: () => this.#listFollows(),
        onEvents: (events) => this.#tell(events),
        onUp: (missed) => this.#beUp(missed),
        onLost: () => this.#be('lost'),
        onSignedOut: () => this.#be('signed_out'),
      },
      options.fetch ?? ((...call) => fetch(...call)),
      options.timings ?? usualTimings,
    )
  }

  /** Takes in the tab at the other end of this port. */
  serve(port: MessagePort): void {
    const take = this.join((message) => port.postMessage(message))
    port.onmessage = ({ data }: MessageEvent<TabMessage>) => take(data)
  }

  /** Takes a tab in; `post` reaches it. Returns what takes its messages. */
  join(post: (message: HubMessage) => void): (message: TabMessage) => void {
    const tab: Tab = { post, follows: new Map(), silentPings: 0 }
    this.#tabs.add(tab)
    this.#pinging ??= setInterval(() => this.#ping(), pingEveryMs)
    if (this.#state !== 'up') post({ type: 'link', state: this.#state })
    if (this.#upstream.isUp) post({ type: 'hello' })
    // Its follows come with the same breath.
    this.#lookSoon()
    return (message) => {
      if (this.#tabs.has(tab)) this.#take(tab, message)
    }
  }

  #take(tab: Tab, message: TabMessage): void {
    tab.silentPings = 0
    switch (message.type) {
      case 'follow':
        tab.follows.set(message.follow, { replyId: message.replyId, after: message.after })
        this.#lookSoon()
        break
      case 'unfollow':
        tab.follows.delete(message.follow)
        this.#lookSoon()
        break
      case 'seen':
        this.#upstream.look()
        break
      case 'online':
        this.#upstream.distrust()
        break
      case 'leave':
        this.#drop(tab)
        break
    }
  }

  #drop(tab: Tab): void {
    this.#tabs.delete(tab)
    if (this.#tabs.size > 0) {
      this.#lookSoon()
      return
    }
    clearInterval(this.#pinging)
    clearTimeout(this.#looking)
    this.#pinging = undefined
    this.#looking = undefined
    this.#state = 'up'
    this.#upstream.close()
  }

  #ping(): void {
    for (const tab of this.#tabs) {
      tab.silentPings += 1
      if (tab.silentPings <= maxSilentPings) tab.post({ type: 'ping' })
      else {
        tab.post({ type: 'dropped' })
        this.#drop(tab)
      }
    }
  }

  /** What tabs say together is answered with one connection. */
  #lookSoon(): void {
    this.#looking ??= setTimeout(() => {
      this.#looking = undefined
      if (this.#isUnserved()) this.#upstream.open()
    }, gatherMs)
  }

  /** Replies that nobody follows any more are left with the connection until there is another reason for a new one. */
  #isUnserved(): boolean {
    if (!this.#upstream.isOpen) return true
    return this.#listFollows().some(([replyId, after]) => !this.#upstream.isServing(replyId, after))
  }

  /** Every reply from the lowest place that a tab needs; each tab leaves out what it has. */
  #listFollows(): Follows {
    const lowest = new Map<string, number>()
    for (const { follows } of this.#tabs)
      for (const { replyId, after } of follows.values())
        lowest.set(replyId, Math.min(after, lowest.get(replyId) ?? after))
    return [...lowest].slice(0, maxFollowedReplies)
  }

  #be(state: LinkState): void {
    if (this.#state === state) return
    this.#state = state
    for (const { post } of this.#tabs) post({ type: 'link', state })
  }

  #beUp(missed: boolean): void {
    this.#be('up')
    if (missed) for (const { post } of this.#tabs) post({ type: 'hello' })
  }

  #tell(events: LiveEvent[]): void {
    const news = events.filter((event): event is News => event.type.startsWith('conversation'))
    for (const tab of this.#tabs) {
      if (news.length > 0) tab.post({ type: 'news', news })
      for (const [follow, place] of tab.follows) tellFollow(tab, follow, place, events)
    }
    // An end makes room for a reply that was one too many.
    if (events.some(isLast)) this.#lookSoon()
  }
}

function isLast(event: LiveEvent): boolean {
  return event.type === 'reply_gone' || (event.type === 'reply' && isEnd(event.data))
}

function tellFollow(tab: Tab, follow: number, place: Follow, events: LiveEvent[]): void {
  const frames: ReplyFrame[] = []
  for (const event of events) {
    if (event.type === 'reply_gone' && event.data.reply_id === place.replyId) {
      tab.follows.delete(follow)
      tab.post({ type: 'gone', follow })
      return
    }
    if (event.type !== 'reply' || event.data.reply_id !== place.replyId) continue
    const { reply_id: _, ...frame } = event.data
    // What this tab has already, or is still too far behind for, was meant for another.
    if (!isEnd(frame) && frame.seq !== place.after + 1) continue
    place.after = frame.seq
    frames.push(frame)
    if (isEnd(frame)) tab.follows.delete(follow)
  }
  if (frames.length > 0) tab.post({ type: 'frames', follow, frames })
}
