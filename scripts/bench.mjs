// npm run bench: measures the built server against its budgets, in one run, and prints ratios (figure / limit; under 1 is
// within). Needs a build (`npm run build`); starts a server, a database and an upstream of its own, and ends them.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { followToEnd, openTalk, send } from '../tests/support/chat.ts'
import { Client, password, signUp } from '../tests/support/client.ts'
import { startOpenAI } from '../tests/support/openai.ts'
import { startServer } from '../tests/support/server.ts'

process.env.AL_DIST_DIR ??= '.next'
if (!existsSync(`${process.env.AL_DIST_DIR}/BUILD_ID`)) {
  console.error('There is no build. Run `npm run build` first.')
  process.exit(1)
}

/** @type {{ what: string, figure: number, limit: number, unit: string }[]} */
const rows = []
/** @type {(what: string, figure: number, limit: number, unit: string) => void} */
const report = (what, figure, limit, unit) => void rows.push({ what, figure, limit, unit })
/** @type {(values: number[], share: number) => number} */
const quantile = (values, share) =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0
/** @type {(ms: number) => Promise<void>} */
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

const openai = await startOpenAI()
const startedAt = performance.now()
const server = await startServer({ OPENAI_API_KEY: 'sk-test-bench', OPENAI_BASE_URL: openai.baseUrl })
try {
  const coldMs = performance.now() - startedAt
  const user = await signUp(server.url)
  await server.stop()
  const againAt = performance.now()
  const warm = await server.restart()
  report('later start, to the first answer', performance.now() - againAt, 4000, 'ms')
  console.log(`first start with a new database: ${Math.round(coldMs)} ms`)
  await measureMemory(warm.pid)
  await measureScripts(warm.url, String(user.token))
  await measureLogins(warm.url, user.email)
  await measureFirstToken(warm.url)
  await warm.stop()
} finally {
  await server.close()
  await openai.close()
}
print()

/** Resident memory of the server and its database, shared pages counted once. @param {number} pid */
async function measureMemory(pid) {
  await sleep(5000)
  const all = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line)?.slice(1) ?? [])
  const family = new Set([String(pid)])
  for (let size = 0; size < family.size; ) {
    size = family.size
    for (const [child = '', parent = ''] of all) if (family.has(parent)) family.add(child)
  }
  let kilobytes = 0
  for (const member of family) {
    const file = `/proc/${member}/smaps_rollup`
    if (existsSync(file)) kilobytes += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0)
  }
  report('idle memory, server and database', kilobytes / 1024, 300, 'MB')
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

/** Time to the first token through us, over asking upstream directly. @param {string} url */
async function measureFirstToken(url) {
  const through = []
  const direct = []
  const talk = await openTalk(url)
  let parentId = null
  for (let n = 0; n < 30; n++) {
    const at = performance.now()
    const opened = await send(talk, `message ${n}`, parentId)
    const firstAt = await firstText(talk.user, opened.reply.events_url)
    through.push(firstAt - at)
    await followToEnd(talk.user, opened.reply.events_url)
    parentId = opened.reply.message_id
    direct.push(await askDirectly(`message ${n}`))
  }
  const added = quantile(through.slice(5), 0.5) - quantile(direct.slice(5), 0.5)
  console.log(
    `first token: through us p50 ${quantile(through.slice(5), 0.5).toFixed(1)} ms (two requests: send, follow), directly p50 ${quantile(direct.slice(5), 0.5).toFixed(1)} ms`,
  )
  report('added time to first token, p50', added, 5, 'ms')
}

/** @type {(user: Client, eventsUrl: string) => Promise<number>} */
async function firstText(user, eventsUrl) {
  const gone = new AbortController()
  const response = await fetch(user.url + eventsUrl, {
    headers: { authorization: `Bearer ${user.token}` },
    signal: gone.signal,
  })
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.includes('event: text')) break
  }
  const at = performance.now()
  gone.abort()
  return at
}

/** @param {string} input */
async function askDirectly(input) {
  const at = performance.now()
  const response = await fetch(`${openai.baseUrl}/responses`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test-bench', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-5-mini', input, stream: true }),
  })
  const decoder = new TextDecoder()
  let text = ''
  let firstAt = 0
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (firstAt === 0 && text.includes('output_text.delta')) firstAt = performance.now()
  }
  return firstAt - at
}

function print() {
  console.log('')
  for (const { what, figure, limit, unit } of rows) {
    const ratio = (figure / limit).toFixed(2)
    console.log(`${ratio.padStart(6)}  ${what}: ${figure.toFixed(1)} ${unit} (limit ${limit})`)
  }
}
