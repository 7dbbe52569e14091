import { isKept } from './asked'
import type { Call } from './call'
import type { Exchange } from './exchange'
import type { Keeping } from './kept'
import { KeptResponse } from './kept-response'
import { type Line, settle } from './ledger'
import { asList, isObject } from './translate/json'
import { UpstreamResponse } from './upstream-response'

/** What of this answer is to be found again. */
export function keepingOf(call: Call, exchange: Exchange, line: Line): Keeping {
  const isKeptThere = exchange.target.key.provider === 'openai'
  if (!isKept(call.question) && !(isKeptThere && runsCode(call.question))) return keepNothing(exchange, line)
  return isKeptThere ? new UpstreamResponse(call, exchange, line) : new KeptResponse(call, exchange, line)
}

/** Where code runs can be named in the next call, though the response itself is not stored. */
function runsCode({ path, body }: Call['question']): boolean {
  return (
    path === '/responses' &&
    asList(body.tools).some(
      (tool) => isObject(tool) && (tool.type === 'code_interpreter' || tool.type === 'shell'),
    )
  )
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
