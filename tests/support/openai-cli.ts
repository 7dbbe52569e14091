import { parseArgs } from 'node:util'
import { startOpenAI } from './openai.ts'

const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, 'any-key': { type: 'boolean' } },
})

const server = await startOpenAI({
  port: Number(values.port),
  acceptKey: values['any-key'] ? () => true : undefined,
})
console.log(`OpenAI for tests: ${server.baseUrl}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.close().then(() => process.exit(0)))
}
