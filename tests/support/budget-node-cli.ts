import { createInterface } from 'node:readline'
import { startDatabase, stopDatabase } from '../../lib/db'
import {
  closeBudgets,
  openBudgets,
  recordUsage,
  releaseUse,
  reserveUse,
  sweepReservations,
} from '../../lib/usage'
import { dropLease } from '../../lib/usage/leases'
import type { NodeCall, NodeSaid } from './budget-node.ts'

/*
 * A server among several, of which tests want the budgets alone: it takes calls as lines of JSON and answers each in one,
 * until its input ends. It may be killed.
 */
async function act(call: NodeCall): Promise<unknown> {
  if (call.do === 'reserve') return reserveUse(call.actor, call.wish)
  if (call.do === 'release') return releaseUse(call.reservation)
  if (call.do === 'sweep') return sweepReservations({ all: call.all })
  if (call.do === 'forget') return call.ids.forEach(dropLease)
  const { reservation, ...use } = call.use
  const openedAt = new Date(reservation?.openedAt ?? 0)
  return recordUsage({ ...use, reservation: reservation ? { ...reservation, openedAt } : null })
}

const say = (said: NodeSaid) => console.log(JSON.stringify(said))

await startDatabase()
await openBudgets()
say({ id: 0, value: 'ready' })
for await (const line of createInterface({ input: process.stdin })) {
  const { id, ...call } = JSON.parse(line) as NodeCall & { id: number }
  act(call).then(
    (value) => say({ id, value }),
    ({ code, message }: { code: string; message: string }) => say({ id, code, message }),
  )
}
await closeBudgets()
await stopDatabase()
// Connections that nobody uses would keep it for a minute.
process.exit(0)
