import { recordAudit } from '../audit'
import { addCount } from '../bus'
import { callerNetwork } from '../http'
import type { Origin } from './actor'

/** So many failed sign-ins are written down within an hour, from one address and from all: nobody fills the disk by guessing. */
const perAddress = 50
const fromAll = 2000
const hourMs = 3_600_000

/** Writes down a sign-in that failed, by the account that was tried, where there is one; not what was typed. */
export async function recordFailedSignIn(userId: string | null, origin: Origin): Promise<void> {
  const { ip, requestId, userAgent } = origin
  if ((await addCount(`audit:${callerNetwork(ip)}`, hourMs, 1)).count > perAddress) return
  if ((await addCount('audit', hourMs, 1)).count > fromAll) return
  await recordAudit({
    actorId: null,
    action: 'account.signin_failed',
    target: userId,
    ip,
    requestId,
    detail: { userAgent },
  })
}
