import { openHub } from './open-hub'
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

/** What a part of the page wants to know of one reply. */
type Follower = {
  replyId: string
  /** The last frame that is here; -1 for none. */
  after: number
  /** Every frame once and in order, up to the terminal one. */
  onFrames(frames: ReplyFrame[]): void
  /** The reply is not there (any more). */
  onGone(): void
}

export type FeedListener = {
  onNews(news: News[]): void
  /** Changes before this may have been missed; at the page's first, those since the server drew it. */
  onHello(isFirst: boolean): void
}

/** This tab's end of what the server tells: follows replies, hears news, and keeps its place when the hub is lost. */
class LiveTab {
  readonly #follows = new Map<number, Follower>()
  readonly #feed = new Set<FeedListener>()
  readonly #linkListeners = new Set<() => void>()
  #userId = ''
  #hub: { port: MessagePort; isShared: boolean } | undefined
  #lastFollow = 0
  #silentPings = 0
  #isGreeted = false
  link: LinkState = 'up'

  /** Joins the hub of this user's browser until the returned function is called. */
  connect(userId: string): () => void {
    this.#userId = userId
    this.#join()
    const watch = setInterval(() => this.#watch(), pingEveryMs)
    const listening = new AbortController()
    const { signal } = listening
    addEventListener('online', () => this.#post({ type: 'online' }), { signal })
    document.addEventListener('visibilitychange', () => this.#beSeen(), { signal })
    // A page that the browser keeps for the way back must not be spoken to.
    addEventListener('pagehide', () => this.#leave(), { signal })
    addEventListener('pageshow', ({ persisted }) => persisted && this.#join(), { signal })
    return () => {
      clearInterval(watch)
      listening.abort()
      this.#leave()
    }
  }

  /** Follows a reply until its end, or until the returned function is called. */
  follow(follower: Follower): () => void {
    this.#lastFollow += 1
    const follow = this.#lastFollow
    this.#follows.set(follow, follower)
    this.#postFollow(follow, follower)
    return () => {
      if (this.#follows.delete(follow)) this.#post({ type: 'unfollow', follow })
    }
  }

  /** Hears all news until the returned function is called. */
  listen(listener: FeedListener): () => void {
    this.#feed.add(listener)
    return () => this.#feed.delete(listener)
  }

  subscribeToLink = (onChange: () => void): (() => void) => {
    this.#linkListeners.add(onChange)
    return () => this.#linkListeners.delete(onChange)
  }

  #join(): void {
    this.#leave()
    this.#silentPings = 0
    const hub = openHub(this.#userId, () => {
      if (this.#hub === hub) this.#join()
    })
    this.#hub = hub
    hub.port.onmessage = ({ data }: MessageEvent<HubMessage>) => {
      if (this.#hub === hub) this.#take(data)
    }
    for (const [follow, follower] of this.#follows) this.#postFollow(follow, follower)
  }

  #leave(): void {
    this.#post({ type: 'leave' })
    this.#hub?.port.close()
    this.#hub = undefined
  }

  #post(message: TabMessage): void {
    this.#hub?.port.postMessage(message)
  }

  #postFollow(follow: number, { replyId, after }: Follower): void {
    this.#post({ type: 'follow', follow, replyId, after })
  }

  /** A hub of this page alone is there while the page is seen: hidden pages would take connections from others. */
  #beSeen(): void {
    const isSeen = document.visibilityState === 'visible'
    if (!this.#hub) {
      if (isSeen) this.#join()
    } else if (isSeen) this.#post({ type: 'seen' })
    else if (!this.#hub.isShared) this.#leave()
  }

  /** A hub that asks no more is gone, and with it what it would have told. */
  #watch(): void {
    if (!this.#hub) return
    this.#silentPings += 1
    if (this.#silentPings > maxSilentPings) this.#join()
  }

  #take(message: HubMessage): void {
    this.#silentPings = 0
    switch (message.type) {
      case 'ping':
        this.#post({ type: 'pong' })
        break
      case 'dropped':
        this.#join()
        break
      case 'link':
        this.#setLink(message.state)
        break
      case 'hello':
        this.#setLink('up')
        for (const listener of this.#feed) listener.onHello(!this.#isGreeted)
        this.#isGreeted = true
        break
      case 'news':
        for (const listener of this.#feed) listener.onNews(message.news)
        break
      case 'frames':
        this.#takeFrames(message.follow, message.frames)
        break
      case 'gone':
        this.#follows.get(message.follow)?.onGone()
        this.#follows.delete(message.follow)
    }
  }

  #takeFrames(follow: number, frames: ReplyFrame[]): void {
    const follower = this.#follows.get(follow)
    const last = frames.at(-1)
    if (!follower || !last) return
    follower.after = last.seq
    if (isEnd(last)) this.#follows.delete(follow)
    follower.onFrames(frames)
  }

  #setLink(state: LinkState): void {
    if (this.link === state) return
    this.link = state
    for (const onChange of this.#linkListeners) onChange()
  }
}

/** The page's one place to hear what the server tells. */
export const liveTab = new LiveTab()
