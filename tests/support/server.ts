import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { requireNoLeak, searchDatabase, searchFiles, watchArguments, watchOutput } from './canary/remains'
import { urlOfEmbedded } from './crash/evidence'
import { createScratchDatabase, type ScratchDatabase } from './database'
import { untilNoProcessIn } from './embedded'
import { makeOwnFolder } from './own-folder'

/** A built AL-Chat that serves on a port of its own, from a data folder of its own. */
export type TestServer = {
  /** Such as `http://127.0.0.1:41234`, without a slash at the end. */
  url: string
  dataDir: string
  sessionLogDir: string
  pid: number
  /** All that the server has written so far. */
  output: () => string
  /** Ends the server as SIGTERM does and keeps its data; returns the exit code. */
  stop: () => Promise<number | null>
  /** Ends the server as a crash does. */
  kill: () => Promise<void>
  /** Serves again from the same data, after `stop` or `kill`. */
  restart: (env?: Environment) => Promise<TestServer>
  /** Ends the server and removes its data. Throws where the canary watch has found a secret. */
  close: () => Promise<void>
}

export type Environment = Record<string, string>

const root = resolve(import.meta.dirname, '../..')
const passedOn = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'NODE_EXTRA_CA_CERTS', 'AL_TEST_RUN', 'AL_CANARY']

/**
 * Starts the server that `npm test` built, as `npm start` would; `env` is all it gets besides the folders and the port.
 * With DATABASE_URL set, it uses a scratch database there, else its own embedded one.
 */
export async function startServer(env: Environment = {}): Promise<TestServer> {
  const folder = makeOwnFolder('server')
  const outside = process.env.DATABASE_URL ? await createScratchDatabase(process.env.DATABASE_URL) : undefined
  try {
    return await launch(folder, outside, env)
  } catch (error) {
    await outside?.drop()
    folder.remove()
    throw error
  }
}

type Folder = ReturnType<typeof makeOwnFolder>

async function launch(
  folder: Folder,
  outside: ScratchDatabase | undefined,
  env: Environment,
): Promise<TestServer> {
  const dataDir = join(folder.path, 'data')
  const sessionLogDir = join(folder.path, 'SessionLog')
  const child = spawnServer({
    DATA_DIR: dataDir,
    SESSION_LOG_DIR: sessionLogDir,
    ...(outside ? { DATABASE_URL: outside.url } : {}),
    ...env,
  })
  const output = collectOutput(child)
  const exited = new Promise<number | null>((done) => child.once('close', done))
  const stop = async () => {
    child.kill('SIGTERM')
    return exited
  }
  const url = await untilReady(output, exited)
  const ownDir = env.DATA_DIR ?? dataDir
  return {
    url,
    dataDir,
    sessionLogDir,
    pid: child.pid ?? 0,
    output,
    stop,
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
    restart: (again) => launch(folder, outside, { ...env, ...again }),
    close: async () => {
      if (child.exitCode === null && child.signalCode === null)
        await searchDatabase((env.DATABASE_URL ?? outside?.url) || urlOfEmbedded(ownDir), ownDir)
      await stop()
      // After a kill, Postgres is still on its way out.
      await untilNoProcessIn(dataDir)
      searchFiles(folder.path, ownDir, ['/postgres/cluster/', '/postgres/reserve'])
      await outside?.drop()
      folder.remove()
      requireNoLeak(ownDir)
    },
  }
}

/** Runs `scripts/serve.mjs` with the built pages of this test run; it ends with this process. */
export function spawnServer(env: Environment): ChildProcess {
  const given = Object.fromEntries(
    passedOn.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  )
  const child = spawn(process.execPath, [...watchArguments(), join(root, 'scripts/serve.mjs')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...blankEnvironment(),
      ...given,
      AL_DIST_DIR: process.env.AL_DIST_DIR ?? '.next-test',
      LOG_LEVEL: 'warn',
      PORT: '0',
      RATE_LIMITS: 'off',
      // Under npm the server ends when its parent does: here, when the test is killed.
      npm_lifecycle_event: 'test',
      ...env,
    } as unknown as NodeJS.ProcessEnv,
  })
  watchOutput(child, env)
  return child
}

// What a developer has in .env must not reach the tests: a name that is set, even to nothing, is not read from there.
function blankEnvironment(): Environment {
  const files = ['.env', '.env.local', '.env.production', '.env.production.local'].map((name) =>
    join(root, name),
  )
  const names = files
    .filter((file) => existsSync(file))
    .flatMap((file) => Object.keys(parseEnv(readFileSync(file, 'utf8'))))
  return Object.fromEntries(names.map((name) => [name, '']))
}

function collectOutput(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  return () => text
}

async function untilReady(output: () => string, exited: Promise<unknown>): Promise<string> {
  let over = false
  void exited.then(() => {
    over = true
  })
  for (;;) {
    const url = /AL-Chat is ready at (http:\/\/[^\s,]+)/.exec(output())?.[1]
    if (url) return url
    if (over) throw new Error(`The server ended before it was ready:\n${output()}`)
    await new Promise((done) => setTimeout(done, 20))
  }
}
