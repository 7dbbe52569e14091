export { type OpenAIOptions, type OpenAIServer, startOpenAI } from './openai/server.ts'
export { echoOf } from './openai/text.ts'
export type * from './openai/types.ts'
