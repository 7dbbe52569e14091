import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyPlace, writeSnippets } from '../../../components/keys/snippet-texts'
import { signUp } from '../../support/client'
import { makeKey } from '../../support/keys'
import { echoOf, type OpenAIServer, startOpenAI } from '../../support/openai'
import { startServer, type TestServer } from '../../support/server'

// The snippets that the page offers to copy, run as they are.
const upstreamKey = 'sk-test-snippets-upstream-81ac'
const root = resolve(import.meta.dirname, '../../..')

let upstream: OpenAIServer
let server: TestServer
let key: string

beforeAll(async () => {
  upstream = await startOpenAI({ acceptKey: (given) => given === upstreamKey })
  server = await startServer({ OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: upstreamKey })
  key = (await makeKey(await signUp(server.url, 'admin'), { scopes: ['gateway'] })).key
})
afterAll(async () => {
  await server.close()
  await upstream.close()
})

async function run(command: string, args: string[], code: string): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    AL_CHAT_KEY: key,
  } as unknown as NodeJS.ProcessEnv
  const child = spawn(command, args, { cwd: root, env, stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  child.stdin.end(code)
  await new Promise((done, fail) => child.once('close', done).once('error', fail))
  return output
}

const node = [process.execPath, ['--input-type=module', '-']] as const
const ways = { node, 'ai-sdk': node, curl: ['bash', ['-s']] } as const

for (const isKeyInside of [false, true])
  test.each(Object.entries(ways))(
    `the snippet for %s gets an answer, the key ${isKeyInside ? 'inside' : 'in the environment'}`,
    async (way, [command, args]) => {
      const written = writeSnippets({ baseUrl: `${server.url}/v1`, model: 'gpt-5-mini', isKeyInside })
      const code = written.find(({ value }) => value === way)?.code.replaceAll(keyPlace, key) ?? ''
      expect(await run(command, [...args], code)).toContain(echoOf('Say hello in one sentence.'))
    },
  )
