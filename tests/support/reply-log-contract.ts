import { describe } from 'vitest'
import type { LogBench } from './reply-log-bench'
import { describeFinish } from './reply-log-finish'
import { describeAppend, describeFind, describeSweep } from './reply-log-frames'
import { describeLeases, describeReclaim, describeTakeOver } from './reply-log-leases'

/** What every backend of the reply log has to keep to. */
export function describeReplyLog(name: string, make: () => LogBench): void {
  describe(`the reply log in ${name}`, () => {
    const bench = make()
    describeAppend(bench)
    describeFind(bench)
    describeFinish(bench)
    describeLeases(bench)
    describeTakeOver(bench)
    describeReclaim(bench)
    describeSweep(bench)
  })
}
