import { setTimeout as sleep } from 'node:timers/promises'
import { v7 as newId } from 'uuid'
import type { OpenedReply } from '../../../lib/contracts/conversations'
import { Client } from '../client'
import { type Answer, between, type Chance, type Kind } from './answers'
import { Follower, isTerminal, type SeenFrame } from './follower'
import type { Moments } from './moments'

/** An agent and a conversation with it. */
export type Talk = { kind: Kind; conversationId: string; parentId: string | null }

type Asker = { url: string; token: string; chance: Chance; signal: AbortSignal; moments: Moments }

/** One message on its way through a round, and what came of it. */
export class Asking {
  readonly messageId = newId()
  readonly followers: Follower[] = []
  readonly faults: string[] = []
  reply: OpenedReply['reply'] | null = null
  triedToStop = false
  /** When the server had taken word that the answer is to stop. */
  stopAcceptedAt = 0
  readonly talk: Talk
  readonly answer: Answer
  private readonly asker: Asker

  constructor(asker: Asker, talk: Talk, answer: Answer) {
    this.asker = asker
    this.talk = talk
    this.answer = answer
  }

  /** Sends the message until it is taken, and reads the answer to its end in several places. */
  async run(): Promise<void> {
    const { chance } = this.asker
    // Impatient people click twice.
    const sends = chance() < 0.2 ? [this.send(), this.send()] : [this.send()]
    await Promise.all(sends)
    if (!this.reply) return
    const follows = [this.follow(0), this.follow(0, true), this.follow(between(chance, 100, 900))]
    if (chance() < 0.15) follows.push(this.stop(between(chance, 0, 700)))
    await Promise.all(follows)
  }

  private async send(): Promise<void> {
    const { chance, signal } = this.asker
    const path = `/api/conversations/${this.talk.conversationId}/messages`
    const body = { id: this.messageId, parent_id: this.talk.parentId, text: this.answer.question }
    while (!signal.aborted) {
      const answer = await this.call('POST', path, body)
      if (answer?.status === 202) return this.opened((answer.body as unknown as OpenedReply).reply)
      if (answer && answer.status !== 503)
        return void this.faults.push(`a message was answered ${answer.status}: ${answer.text}`)
      await sleep(between(chance, 10, 150))
    }
  }

  private opened(reply: OpenedReply['reply']): void {
    if (this.reply && this.reply.id !== reply.id) this.faults.push('one message, two replies')
    this.reply = reply
    this.asker.moments.tell('sent')
  }

  private async follow(waitMs: number, isLive = false): Promise<void> {
    if (!this.reply) return
    await sleep(waitMs)
    const { url, token, chance, signal } = this.asker
    const where = { url, token, replyId: this.reply.id, isLive }
    const seen = (frame: SeenFrame) => this.asker.moments.tell(isTerminal(frame) ? 'end' : 'words')
    const follower = new Follower(where, { chance, fickleness: 0.3, seen })
    this.followers.push(follower)
    await follower.run(signal)
  }

  private async stop(waitMs: number): Promise<void> {
    await sleep(waitMs)
    this.triedToStop = true
    const answer = await this.call('DELETE', `/api/replies/${this.reply?.id}`)
    if (answer?.status === 202) this.stopAcceptedAt = performance.now()
  }

  /** Null where the answer got lost. */
  private call(method: string, path: string, body?: unknown) {
    const { url, token } = this.asker
    return new Client(url, token).call(method, path, { body }).catch(() => null)
  }

  /** The answer as one reader has it from the beginning. */
  replay(): Promise<Follower> {
    const { url, token, chance, signal } = this.asker
    const follower = new Follower({ url, token, replyId: this.reply?.id ?? '' }, { chance, fickleness: 0 })
    return follower.run(signal).then(() => follower)
  }
}
