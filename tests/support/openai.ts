/*
 * OpenAI's API as it is on the wire, for tests and the bench: the upstream of everything, at `baseUrl` with any
 * key that begins with `sk-test-`. Without a script every answer is `echoOf(last user input)`. Models that begin
 * with `no-such` are unknown. `server.script({ end: 'stall' })` queues what the next call gets (see `Script`);
 * `server.journal` tells what was asked. `node tests/support/openai-cli.ts --port 4100` runs it by itself, steered by
 * `POST /__control/script` (a `Script`, with `times`), `GET /__control/journal` and `POST /__control/reset`.
 */
export { type OpenAIServer, startOpenAI } from './openai/server.ts'
export { echoOf } from './openai/text.ts'
export type * from './openai/types.ts'
