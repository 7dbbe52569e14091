import type { Actor } from '../auth'
import { AppError } from '../errors'
import { remember } from '../remember'

/** How many streams of one answer a user may have open at a time. */
const maxFollowers = 10

const taken = () => remember('chat.seats', () => new Map<string, number>())
const seatOf = ({ userId }: Actor, replyId: string) => `${userId}|${replyId}`

/** Throws too_many_requests where the actor follows this answer too often already. */
export function requireSeat(actor: Actor, replyId: string): void {
  if ((taken().get(seatOf(actor, replyId)) ?? 0) < maxFollowers) return
  throw new AppError(
    'too_many_requests',
    `This answer is open in ${maxFollowers} places already. Close one of them.`,
    { retryAfterSeconds: 5 },
  )
}

/** Counts one more follower until the returned function is called. */
export function takeSeat(actor: Actor, replyId: string): () => void {
  const seat = seatOf(actor, replyId)
  taken().set(seat, (taken().get(seat) ?? 0) + 1)
  return () => {
    const left = (taken().get(seat) ?? 1) - 1
    if (left > 0) taken().set(seat, left)
    else taken().delete(seat)
  }
}
