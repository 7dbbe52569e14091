import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { untilNoProcessIn } from '../support/embedded'
import { makeOwnFolder } from '../support/own-folder'
import { spawnServer } from '../support/server'

const folder = makeOwnFolder('unheard')
afterEach(() => folder.remove())

test('a server whose output nobody reads any more goes on, and ends when it is told to', async () => {
  const server = spawnServer({
    DATA_DIR: join(folder.path, 'data'),
    LOG_LEVEL: 'debug',
    npm_lifecycle_event: '',
  })
  let output = ''
  const url = await new Promise<string>((resolve) => {
    server.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      const found = /ready at (http:\S+)/.exec(output)?.[1]
      if (found) resolve(found)
    })
  })
  server.stdout?.destroy()
  server.stderr?.destroy()
  // Each of these is a line in the log.
  for (let n = 0; n < 5; n++) expect((await fetch(`${url}/api/health`)).status).toBe(200)
  server.kill('SIGTERM')
  const [code, signal] = await once(server, 'exit')
  expect([code, signal]).toEqual([0, null])
  await untilNoProcessIn(join(folder.path, 'data'))
}, 60_000)
