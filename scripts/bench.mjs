// npm run bench [-- NAME…]: measures the built server against its budgets, in one run, prints ratios (figure / limit;
// under 1 is within) and writes them to bench.json. NAME is one or more of memory, scripts, logins, first, thinking, cpu,
// crowd, gateway. Needs a build (`npm run build`); starts a server, a database, an upstream and readers of its own, and ends them.
import { existsSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { Client, password, signUp } from '../tests/support/client.ts'
import { startServer } from '../tests/support/server.ts'
import { measureGateway } from './bench/gateway.mjs'
import { memoryOf, start } from './bench/processes.mjs'
import { finish, quantile, report } from './bench/report.mjs'
import { measureCpu, measureCrowd, measureFirstToken } from './bench/streaming.mjs'

process.env.AL_DIST_DIR ??= '.next'
if (!existsSync(`${process.env.AL_DIST_DIR}/BUILD_ID`)) {
  console.error('There is no build. Run `npm run build` first.')
  process.exit(1)
}

/** @type {(ms: number) => Promise<void>} */
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

const upstream = await start('upstream.mjs')
const load = await start('load.mjs')
const bench = { upstream: Number(upstream.first.port), asked: upstream.child, load: load.child }
const startedAt = performance.now()
const server = await startServer({
  OPENAI_API_KEY: 'sk-test-bench',
  OPENAI_BASE_URL: `http://127.0.0.1:${bench.upstream}/v1`,
  // For when its heap is looked at; the inspector is not open until then.
  NODE_OPTIONS: '--inspect-port=0',
})
try {
  console.log(`first start with a new database: ${Math.round(performance.now() - startedAt)} ms`)
  const user = await signUp(server.url)
  await server.stop()
  const againAt = performance.now()
  const warm = await server.restart()
  report('later start, to the first answer', performance.now() - againAt, 4000, 'ms')
  const token = String(user.token)
  /** @type {Record<string, () => Promise<void>>} */
  const measurements = {
    memory: () => measureMemory(warm.pid),
    scripts: () => measureScripts(warm.url, token),
    logins: () => measureLogins(warm.url, user.email),
    first: () => measureFirstToken(bench, warm, 0),
    thinking: () => measureFirstToken(bench, warm, 100),
    cpu: () => measureCpu(bench, warm),
    crowd: () => measureCrowd(bench, warm),
    gateway: () => measureGateway(bench, warm, new Client(warm.url, token)),
  }
  const wanted = process.argv.slice(2)
  for (const [name, measure] of Object.entries(measurements)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    console.log(`\n== ${name}`)
    await measure()
  }
  await warm.stop()
} finally {
  await server.close()
  for (const { child } of [upstream, load]) child.disconnect()
}
finish('bench.json')

/** @param {number} pid */
async function measureMemory(pid) {
  await sleep(5000)
  report('idle memory, server and database', memoryOf(pid), 300, 'MB')
}

/** JavaScript that a page loads at first, gzip. @type {(url: string, token: string) => Promise<void>} */
async function measureScripts(url, token) {
  const { body } = await new Client(url, token).get('/api/conversations')
  if (!body) throw new Error('no answer')
  const pages = {
    login: '/login',
    register: '/register',
    dashboard: '/dashboard',
    projects: '/projects',
    vault: '/vault',
    keys: '/keys',
    settings: '/settings',
    chat: '/chat',
  }
  for (const [name, path] of Object.entries(pages)) {
    const html = await fetch(url + path, {
      headers: { cookie: name === 'login' || name === 'register' ? '' : `al_session=${token}` },
    })
    const text = await html.text()
    const sources = new Set(
      [...text.matchAll(/(?:src|href)="(\/_next\/static\/[^"]+\.js)[^"]*"/g)].map(([, source]) =>
        String(source),
      ),
    )
    let bytes = 0
    for (const source of sources) {
      if (text.includes(`src="${source}" noModule`)) continue
      bytes += gzipSync(Buffer.from(await (await fetch(url + source)).arrayBuffer())).length
    }
    report(
      `JavaScript of ${name}, gzip`,
      bytes / 1024,
      name === 'login' || name === 'register' ? 120 : 220,
      'KB',
    )
  }
}

/** How long a small request waits, alone and beside 20 logins. @type {(url: string, email: string) => Promise<void>} */
async function measureLogins(url, email) {
  const client = new Client(url)
  const probe = async () => {
    const at = performance.now()
    await client.call('OPTIONS', '/api/auth/me')
    return performance.now() - at
  }
  for (let n = 0; n < 50; n++) await probe()
  const alone = []
  for (let n = 0; n < 200; n++) alone.push(await probe())
  let isOver = false
  const at = performance.now()
  const logins = Promise.all(
    Array.from({ length: 20 }, () => client.post('/api/auth/login', { email, password })),
  ).then((answers) => {
    isOver = true
    return answers
  })
  const beside = []
  while (!isOver) beside.push(await probe())
  if ((await logins).some(({ status }) => status !== 200)) throw new Error('a login failed')
  console.log(
    `20 logins at once took ${Math.round(performance.now() - at)} ms; a small request meanwhile: p50 ${quantile(beside, 0.5).toFixed(1)} ms, p99 ${quantile(beside, 0.99).toFixed(1)} ms, longest ${Math.max(...beside).toFixed(1)} ms (alone: p50 ${quantile(alone, 0.5).toFixed(1)} ms, p99 ${quantile(alone, 0.99).toFixed(1)} ms)`,
  )
  report('longest wait of a small request beside 20 logins', Math.max(...beside), 50, 'ms')
}
