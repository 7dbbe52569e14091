import type { Actor } from '../auth'
import { AppError } from '../errors'
import { remember } from '../remember'

/** How many streams a user may have open at a time: of one answer, and of events. */
const maxFollowers = 10

const taken = () => remember('chat.seats', () => new Map<string, number>())
const seatOf = ({ userId }: Actor, replyId?: string) => `${userId}|${replyId ?? ''}`

/** Throws too_many_requests where the actor follows this answer, or without one the events, too often already. */
export function requireSeat(actor: Actor, replyId?: string): void {
  if ((taken().get(seatOf(actor, replyId)) ?? 0) < maxFollowers) return
  const what = replyId === undefined ? 'AL-Chat' : 'This answer'
  throw new AppError(
    'too_many_requests',
    `${what} is open in ${maxFollowers} places already. Close one of them.`,
    { retryAfterSeconds: 5 },
  )
}

/** Counts one more stream until the returned function is called. Throws too_many_requests: others may have been faster. */
export function takeSeat(actor: Actor, replyId?: string): () => void {
  requireSeat(actor, replyId)
  const seat = seatOf(actor, replyId)
  taken().set(seat, (taken().get(seat) ?? 0) + 1)
  return () => {
    const left = (taken().get(seat) ?? 1) - 1
    if (left > 0) taken().set(seat, left)
    else taken().delete(seat)
  }
}
