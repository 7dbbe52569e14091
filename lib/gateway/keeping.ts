import { isKept } from './asked'
import type { Call } from './call'
import type { Exchange } from './exchange'
import type { Keeping } from './kept'
import { KeptResponse } from './kept-response'
import { type Line, settle } from './ledger'
import { UpstreamResponse } from './upstream-response'

/** What of this answer is to be found again. */
export function keepingOf(call: Call, exchange: Exchange, line: Line): Keeping {
  if (!isKept(call.question)) return keepNothing(exchange, line)
  const isKeptThere = exchange.target.key.provider === 'openai'
  return isKeptThere ? new UpstreamResponse(call, exchange, line) : new KeptResponse(call, exchange, line)
}

/** Of this answer, what it used alone is written down. */
export function keepNothing({ meter }: Exchange, line: Line): Keeping {
  return {
    named: Promise.resolve(),
    keepWhole: async () => undefined,
    keepStream: (body) => body,
    settle: (how) => settle(line, meter, how),
  }
}
