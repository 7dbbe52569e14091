// What the gateway costs over asking the model server itself: processor time per streamed token against a raw byte pipe,
// time to the first token and of a whole answer, and whether memory grows, all in the same run.
import { makeKey } from '../../tests/support/keys.ts'
import { openHeap } from './heap.mjs'
import { start } from './processes.mjs'
import { costPerToken, read, wish } from './readers.mjs'
import { quantile, report } from './report.mjs'

/**
 * @typedef {import('./readers.mjs').Bench} Bench
 * @typedef {import('./readers.mjs').Reading} Reading
 * @typedef {import('../../tests/support/client.ts').Client} Client
 * @typedef {{ url: string, pid: number, output: () => string }} Server
 * @typedef {{ url: string, key?: string }} Place
 */

const PATH = '/v1/chat/completions'

/** @type {(text: string, stream: boolean) => string} */
const ask = (text, stream) =>
  JSON.stringify({ model: 'gpt-5-mini', messages: [{ role: 'user', content: text }], stream })

/** @type {(bench: Bench, server: Server, user: Client) => Promise<void>} */
export async function measureGateway({ upstream, load }, server, user) {
  const { key } = await makeKey(user, { name: 'bench', scopes: ['gateway'] })
  const through = { url: server.url + PATH, key }
  const directly = { url: `http://127.0.0.1:${upstream}${PATH}` }
  await measureAdded(load, through, directly)
  await measureTokens({ upstream, load }, server, through)
  await measureGrowth(load, server, through)
}

/** What we add for one warm reader, whose upstream answers at once. @type {(load: Bench['load'], through: Place, directly: Place) => Promise<void>} */
async function measureAdded(load, through, directly) {
  for (const kind of /** @type {const} */ (['first token of a stream', 'whole answer'])) {
    const isStream = kind === 'first token of a stream'
    const body = ask(wish(isStream ? 3 : 20, 100, 0), isStream)
    /** @type {(place: Place) => Promise<number>} */
    const time = async (place) => {
      const [reading] = await read(load, { kind: 'pipe', ...place, body, count: 1, rampMs: 0 })
      return (isStream ? reading?.firstMs : reading?.tookMs) ?? 0
    }
    /** @type {{ through: number[], directly: number[] }} */
    const times = { through: [], directly: [] }
    for (let round = 0; round < 450; round++) {
      const both = { through: await time(through), directly: await time(directly) }
      if (round < 50) continue
      times.through.push(both.through)
      times.directly.push(both.directly)
    }
    tellAdded(kind, times)
  }
}

/** @type {(kind: string, times: { through: number[], directly: number[] }) => void} */
function tellAdded(kind, { through, directly }) {
  const [half, most] = [0.5, 0.99].map((share) => quantile(through, share) - quantile(directly, share))
  console.log(
    `  ${kind}: p50 ${quantile(through, 0.5).toFixed(2)} ms through us, ${quantile(directly, 0.5).toFixed(2)} ms directly; added at p99 ${most?.toFixed(2)} ms`,
  )
  report(`gateway: added time, ${kind}, p50, one reader, warm`, half ?? 0, 3, 'ms')
}

/** @type {(bench: Bench, server: Server, through: Place) => Promise<void>} */
async function measureTokens({ upstream, load }, server, through) {
  const streams = 200
  const [tokens, perSecond] = [1000, 100]
  const pipe = await start('pipe.mjs', [String(upstream)])
  const piped = { url: `http://127.0.0.1:${pipe.first.port}${PATH}` }
  /** @type {(place: Place, amount: number) => Promise<Reading[]>} */
  const stream = (place, amount) =>
    read(load, {
      kind: 'pipe',
      ...place,
      body: ask(wish(amount, perSecond, 0), true),
      count: streams,
      rampMs: 1000,
    })
  for (const place of [piped, through]) await stream(place, 200)
  /** @type {{ pipe: number[], us: number[] }} */
  const cost = { pipe: [], us: [] }
  for (let round = 0; round < 3; round++) {
    cost.pipe.push(await costPerToken(Number(pipe.child.pid), streams * tokens, () => stream(piped, tokens)))
    cost.us.push(await costPerToken(server.pid, streams * tokens, () => stream(through, tokens)))
    console.log(
      `  round ${round + 1}: pipe ${cost.pipe[round]?.toFixed(1)} µs, us ${cost.us[round]?.toFixed(1)} µs a token`,
    )
  }
  pipe.child.disconnect()
  report(
    `gateway: processor time per token, server and database, ${streams} streams × ${perSecond} tokens/s (limit: a raw Node pipe)`,
    quantile(cost.us, 0.5),
    quantile(cost.pipe, 0.5),
    'µs',
  )
}

/**
 * Memory after a collection, before and after 10,000 calls. The limit of the heap is 100 bytes a call: the least that a
 * call could leave behind is an object or two in some map or closure, and that is more.
 * @type {(load: Bench['load'], server: Server, through: Place) => Promise<void>}
 */
async function measureGrowth(load, server, through) {
  const count = 10_000
  const body = ask(wish(20, 100, 0), false)
  /** @type {(calls: number) => Promise<Reading[]>} */
  const call = (calls) => read(load, { kind: 'many', ...through, body, count: calls, atOnce: 16 })
  const heap = await openHeap(server)
  await call(3000)
  const before = await heap.collect()
  const startedAt = performance.now()
  await call(count)
  const seconds = (performance.now() - startedAt) / 1000
  const after = await heap.collect()
  heap.close()
  console.log(
    `  ${count} calls, 16 at once: ${Math.round(count / seconds)} a second; heap ${before.heapMb.toFixed(1)} → ${after.heapMb.toFixed(1)} MB, resident ${before.residentMb.toFixed(0)} → ${after.residentMb.toFixed(0)} MB`,
  )
  report(
    `gateway: growth of the heap by ${count} calls, after collection`,
    after.heapMb - before.heapMb,
    1,
    'MB',
  )
  report(
    `gateway: growth of resident memory by ${count} calls`,
    after.residentMb - before.residentMb,
    16,
    'MB',
  )
}
