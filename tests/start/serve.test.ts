import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listProcessesIn, postmasterPid, untilNoProcessIn } from '../support/embedded'
import { makeOwnFolder } from '../support/own-folder'
import { type Environment, spawnServer, startServer, type TestServer } from '../support/server'

const root = resolve(import.meta.dirname, '../..')

let folder: ReturnType<typeof makeOwnFolder>
const started: TestServer[] = []

beforeEach(() => {
  folder = makeOwnFolder('start')
})

afterEach(async () => {
  for (const server of started.splice(0)) await server.close()
  folder.remove()
})

/** A server with the embedded database, whatever the others of this run use. */
async function serve(env: Environment = {}): Promise<TestServer> {
  const server = await startServer({ DATABASE_URL: '', ...env })
  started.push(server)
  return server
}

async function finish(child: ChildProcess): Promise<{ code: number | null; said: string }> {
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
    })
  const [code] = await once(child, 'close')
  return { code, said: said.trim() }
}

/** What a server says that must not start, and that it is exactly one line with nothing technical in it. */
async function refuse(env: Environment): Promise<string> {
  const { code, said } = await finish(
    spawnServer({ DATABASE_URL: '', DATA_DIR: join(folder.path, 'data'), ...env }),
  )
  expect(said).not.toMatch(/\n\s+at /)
  expect(code, said).toBe(1)
  const complaints = said.split('\n').filter((line) => line.startsWith('AL-Chat: '))
  expect(complaints, said).toHaveLength(1)
  return complaints[0] ?? ''
}

/** Signs a user up and returns how to call the API as that user. */
async function signUp(url: string) {
  const answer = await fetch(`${url}/api/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery staple' }),
  })
  expect(answer.status).toBe(201)
  const { token } = (await answer.json()) as { token: string }
  return (at: string, path: string, body?: object) =>
    fetch(`${at}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
}

describe('a server', () => {
  test('is ready when it says so, ends with 0 on SIGTERM, and leaves no process', async () => {
    const server = await serve()
    expect((await fetch(`${server.url}/login`)).status).toBe(200)
    expect(listProcessesIn(server.dataDir)).not.toEqual([])
    expect(await server.stop()).toBe(0)
    expect(server.output()).toContain('Stopped.')
    expect(listProcessesIn(server.dataDir)).toEqual([])
  })

  test('finishes a request that is under way when it is told to stop', async () => {
    const server = await serve()
    const body = JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery staple' })
    // Half of the body before SIGTERM, half after it.
    const halves = async function* () {
      yield body.slice(0, 10)
      await sleep(3000)
      yield body.slice(10)
    }
    const answer = fetch(`${server.url}/api/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: halves(),
      duplex: 'half',
    } as unknown as RequestInit)
    await sleep(1500)
    const stopped = server.stop()
    expect((await answer).status).toBe(201)
    expect(await stopped).toBe(0)
  })

  test('names every answer: by the caller’s x-request-id if it is fit, else by its own', async () => {
    const server = await serve()
    const ask = async (id?: string) => {
      const answer = await fetch(`${server.url}/api/auth/me`, { headers: id ? { 'x-request-id': id } : {} })
      const { error } = (await answer.json()) as { error: { request_id: string } }
      return [answer.headers.get('x-request-id') ?? '', error.request_id]
    }
    expect(await ask('fit_Name-01')).toEqual(['fit_Name-01', 'fit_Name-01'])
    for (const unfit of [undefined, 'short', 'x'.repeat(65), 'with space']) {
      const [header, inBody] = await ask(unfit)
      expect(header).toMatch(/^[A-Za-z0-9_-]{8,64}$/)
      expect(header).not.toBe(unfit)
      expect(inBody).toBe(header)
    }
  })

  test('outlives its database, which is started again', async () => {
    const server = await serve()
    const call = await signUp(server.url)
    process.kill(postmasterPid(server.dataDir), 'SIGKILL')
    let answer = await call(server.url, '/api/projects')
    while (answer.status !== 200) {
      expect(answer.status).toBe(503)
      answer = await call(server.url, '/api/projects')
    }
    expect(await server.stop()).toBe(0)
    expect(listProcessesIn(server.dataDir)).toEqual([])
  })

  test('with DATABASE_URL starts no database of its own', async () => {
    const host = await serve()
    const url = JSON.parse(readFileSync(join(host.dataDir, 'postgres/owner.json'), 'utf8'))
    expect(url.pid).toBe(host.pid)
    const password = readFileSync(join(host.dataDir, 'postgres/cluster/al-chat.password'), 'utf8')
    const socket = encodeURIComponent(join(host.dataDir, 'postgres/cluster'))
    const server = await startServer({
      DATABASE_URL: `postgresql://al_chat:${password}@localhost/postgres?host=${socket}`,
    })
    started.unshift(server)
    expect((await fetch(`${server.url}/login`)).status).toBe(200)
    expect(existsSync(join(server.dataDir, 'postgres'))).toBe(false)
  })
})

describe('a server that is killed', () => {
  test('serves afterwards everything that it had acknowledged', async () => {
    let server = await serve()
    const call = await signUp(server.url)
    const acknowledged: string[] = []
    for (let round = 0; round < 5; round++) {
      const end = sleep(100 + Math.random() * 500).then(() => server.kill())
      for (let number = 0; ; number++) {
        const name = `project ${round}.${number}`
        const answer = await call(server.url, '/api/projects', { name }).catch(() => undefined)
        if (answer?.status !== 201) break
        acknowledged.push(name)
      }
      await end
      server = await server.restart()
      started[0] = server
    }
    const kept = new Set<string>()
    for (let cursor = ''; ; ) {
      const answer = await call(server.url, `/api/projects?limit=100${cursor && `&cursor=${cursor}`}`)
      const page = (await answer.json()) as { items: { name: string }[]; next_cursor: string | null }
      for (const { name } of page.items) kept.add(name)
      if (!page.next_cursor) break
      cursor = encodeURIComponent(page.next_cursor)
    }
    expect(acknowledged.length).toBeGreaterThan(0)
    expect(acknowledged.filter((name) => !kept.has(name))).toEqual([])
  })

  test('leaves no process', async () => {
    const server = await serve()
    await server.kill()
    await untilNoProcessIn(server.dataDir)
    expect(listProcessesIn(server.dataDir)).toEqual([])
  })

  test('indirectly, by a killed npm, ends as well and leaves no process', async () => {
    const server = await serve()
    await server.stop()
    const env = {
      ...process.env,
      DATABASE_URL: '',
      DATA_DIR: server.dataDir,
      PORT: '0',
      npm_lifecycle_event: 'start',
    }
    // As npm does: a shell that starts the server and waits.
    const npm = spawn('sh', ['-c', `"${process.execPath}" scripts/serve.mjs; true`], { cwd: root, env })
    const output = npm.stdout.setEncoding('utf8')
    for await (const chunk of output) if (chunk.includes('is ready at')) break
    npm.kill('SIGKILL')
    await untilNoProcessIn(server.dataDir)
    expect(listProcessesIn(server.dataDir)).toEqual([])
  })
})

describe('what keeps a server from starting is told in one line, with nothing half-made', () => {
  const untouched = () => expect(existsSync(join(folder.path, 'data/postgres'))).toBe(false)

  test('a taken port', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = String(typeof address === 'object' ? address?.port : 0)
    expect(await refuse({ PORT: port })).toBe(
      `AL-Chat: Port ${port} on 127.0.0.1 is taken: stop the program that uses it, or set another PORT.`,
    )
    other.close()
    untouched()
  })

  test.each([
    ['PORT', 'http', /PORT is “http”, and must be a number/],
    ['PORT', '70000', /PORT is “70000”, and must be a number/],
    ['HOST', 'no.such.host.invalid', /HOST is “no.such.host.invalid”, which is no address of this machine/],
    ['HOST', '192.0.2.1', /HOST is “192.0.2.1”, which is no address of this machine/],
    ['REGISTRATION', 'perhaps', /REGISTRATION must be open, invite or closed/],
    ['DATABASE_URL', 'mysql://localhost', /DATABASE_URL must begin with postgres/],
    ['VAULT_KEY', 'short', /VAULT_KEY must be at least 32 bytes/],
  ])('%s=%s', async (name, value, line) => {
    expect(await refuse({ [name]: value })).toMatch(line)
    untouched()
  })

  test('every fault of the environment at once', async () => {
    const said = await refuse({ REGISTRATION: 'perhaps', VAULT_KEY: 'short', LOG_LEVEL: 'loud' })
    for (const name of ['REGISTRATION', 'VAULT_KEY', 'LOG_LEVEL']) expect(said).toContain(name)
    expect(said).not.toContain('perhaps')
  })

  test('a second server on the same data folder; the first goes on', async () => {
    const first = await serve()
    const said = await refuse({ DATA_DIR: first.dataDir })
    expect(said).toBe(
      `AL-Chat: Another server (process ${first.pid}) is using ${first.dataDir}: stop it first, or set another DATA_DIR.`,
    )
    expect((await fetch(`${first.url}/login`)).status).toBe(200)
  })

  test('a file in the place of the data folder', async () => {
    writeFileSync(join(folder.path, 'data'), 'precious')
    expect(await refuse({})).toMatch(/data is not a folder: move the file away, or set another DATA_DIR\.$/)
    expect(readFileSync(join(folder.path, 'data'), 'utf8')).toBe('precious')
  })

  test('a database that does not answer', async () => {
    expect(await refuse({ DATABASE_URL: 'postgresql://nobody@127.0.0.1:9/none' })).toMatch(
      /The database does not answer/,
    )
    untouched()
  })
})

describe('a set-up', () => {
  /** The commands alone, with no package: what they say before they need any. */
  function copyCommands(): string {
    const copy = join(folder.path, 'checkout')
    mkdirSync(copy)
    for (const name of ['scripts', 'package.json', 'package-lock.json'])
      cpSync(join(root, name), join(copy, name), { recursive: true })
    return copy
  }

  const run = (cwd: string, command: string, env: Environment = {}) =>
    finish(spawn(process.execPath, command.split(' '), { cwd, env: { ...process.env, PORT: '0', ...env } }))

  test.each([
    ['PORT 3000', /\.env, line 2, is not NAME=value/],
    ['NAME="never closed\nA=1', /\.env, line 2, opens a quote \("\) that is never closed/],
  ])('refuses a .env with %j and does nothing', async (line, complaint) => {
    const copy = copyCommands()
    writeFileSync(join(copy, '.env'), `A=1\n${line}\n`)
    for (const command of ['scripts/setup.mjs start', 'scripts/serve.mjs']) {
      const { code, said } = await run(copy, command)
      expect({ code, lines: said.split('\n').length }).toEqual({ code: 1, lines: 1 })
      expect(said).toMatch(complaint)
    }
    expect(readdirSync(copy).sort()).toEqual(['.env', 'package-lock.json', 'package.json', 'scripts'])
  })

  test('reads .env with comments, quotes and values over several lines', async () => {
    const copy = copyCommands()
    writeFileSync(join(copy, '.env'), '# mine\n\nexport A=1\nKEY="one\ntwo"\nEMPTY=\nPORT=http\n')
    const { said } = await finish(
      spawn(process.execPath, ['scripts/setup.mjs', 'start'], {
        cwd: copy,
        env: { PATH: process.env.PATH } as never,
      }),
    )
    expect(said).toMatch(/PORT is “http”/)
  })

  test('looks at the port before it installs anything', async () => {
    const copy = copyCommands()
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = String(typeof address === 'object' ? address?.port : 0)
    expect((await run(copy, 'scripts/setup.mjs start', { PORT: port })).said).toMatch(/is taken/)
    other.close()
    expect(readdirSync(copy)).not.toContain('node_modules')
  })

  test('looks at the free space before it installs anything', async () => {
    const copy = copyCommands()
    const inside = join(copy, 'small')
    mkdirSync(inside)
    const mount = `mount -t tmpfs -o size=64m tmpfs '${inside}' && cp -R '${copy}/scripts' '${copy}'/package*.json '${inside}'`
    // Where this user may not mount a small disk, a big one must at least not be taken for one.
    if (spawnSync('sh', ['-c', mount]).status !== 0) return expect(statfsSync(copy).bavail).toBeGreaterThan(0)
    const { code, said } = await run(inside, 'scripts/setup.mjs start')
    spawnSync('sh', ['-c', `umount '${inside}'`])
    expect(code).toBe(1)
    expect(said).toBe(`AL-Chat: The disk that holds ${inside} has 0.1 GB left, and AL-Chat needs 2.0.`)
  })

  test('replaces nothing under a server that runs from the same checkout', async () => {
    const copy = copyCommands()
    const probe = `import('./scripts/processes.mjs').then((it) => (it.noteServer('.next', 'http://127.0.0.1:1'), process.stdout.write('noted')))`
    const server = spawn(process.execPath, ['-e', `${probe}; setInterval(() => {}, 1e6)`], { cwd: copy })
    await once(server.stdout, 'data')
    const { code, said } = await run(copy, 'scripts/setup.mjs start')
    expect(code).toBe(1)
    expect(said).toBe(
      `AL-Chat: The code changed, and a server is running it (process ${server.pid}, http://127.0.0.1:1): stop that one first.`,
    )
    server.kill('SIGKILL')
    await once(server, 'close')
    expect(readdirSync(copy)).not.toContain('node_modules')
  })
})
