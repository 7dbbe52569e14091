import type { Frame } from './frame'

/** The port to the other parts of this server, and to other servers: what is told may get lost, but never half of it. */
export type Bus = {
  publish(topic: string, message: unknown): void
  /** Listens until the returned function is called. */
  subscribe(topic: string, listener: (message: unknown) => void): () => void
}

const framesOf = (replyId: string) => `reply:${replyId}`
const stopOf = (replyId: string) => `stop:${replyId}`

/** Tells that these frames of a reply are committed. */
export function tellFrames(bus: Bus, replyId: string, frames: Frame[]): void {
  bus.publish(framesOf(replyId), frames)
}

/** Hears of the frames of a reply that are committed from now on. */
export function hearFrames(bus: Bus, replyId: string, hear: (frames: Frame[]) => void): () => void {
  return bus.subscribe(framesOf(replyId), (message) => hear(message as Frame[]))
}

/** Tells whoever writes this reply to stop. */
export function tellStop(bus: Bus, replyId: string): void {
  bus.publish(stopOf(replyId), null)
}

/** Hears that this reply is to stop. */
export function hearStop(bus: Bus, replyId: string, hear: () => void): () => void {
  return bus.subscribe(stopOf(replyId), hear)
}
