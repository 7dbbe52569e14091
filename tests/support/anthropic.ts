/*
 * Anthropic's Messages API as it is on the wire, for tests: `baseUrl` with any key that begins with `sk-ant-` or
 * `sk-test-`. It refuses what Anthropic refuses (`checks.ts`), so that a translation that goes through has been read.
 * Without a script every answer repeats what was said last; `server.script({ error: 'overloaded' })` queues what the
 * next call gets (see `Script`), and `server.journal` tells what was asked.
 */
export { type AnthropicServer, startAnthropic } from './anthropic/server.ts'
export type * from './anthropic/types.ts'
