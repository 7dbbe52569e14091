// What the gateway costs over asking the model server itself: processor time per streamed token against a raw byte pipe,
// time to the first token and of a whole answer, and whether memory grows, all in the same run.
import { makeKey } from '../../tests/support/keys.ts'
import { openHeap } from './heap.mjs'
import { nextMessage, start } from './processes.mjs'
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
export async function measureGateway(bench, server, user) {
  const { upstream, load } = bench
  const { key } = await makeKey(user, { name: 'bench', scopes: ['gateway'] })
  const through = { url: server.url + PATH, key }
  const directly = { url: `http://127.0.0.1:${upstream}${PATH}` }
  const limited = await makeKey(user, { name: 'bench', scopes: ['gateway'], budget_usd: 1000 })
  await measureAdded(load, through, directly)
  const keys = { 'a key without limits': through, 'a key with a budget': { ...through, key: limited.key } }
  await measureLeaving(bench, through)
  await measureTokens(bench, server, keys)
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

/** How long the model server is asked for more after a reader has gone. @type {(bench: Bench, through: Place) => Promise<void>} */
async function measureLeaving({ asked, load }, through) {
  const body = ask(wish(2000, 100, 0), true)
  /** @type {number[]} */
  const times = []
  for (let round = 0; round < 60; round++) {
    const closed = nextMessage(asked)
    const [left] = await read(load, { kind: 'leave', ...through, body })
    times.push((await closed).leftAtMs - left.leftAtMs)
  }
  const what = 'gateway: from a reader’s leaving to the close upstream'
  report(`${what}, p50`, quantile(times, 0.5), 200, 'ms')
  report(`${what}, longest of ${times.length}`, Math.max(...times), 200, 'ms')
}

const STREAMS = 200
const PER_SECOND = 100
const ROUNDS = 3

/**
 * Processor time per token of the pipe, and of the server and its database for each of the keys, in turns. On a busy
 * machine the upstream's tokens come several at once, which makes the pipe cheap and says nothing of the server; so it is
 * told how many the pipe's readers got at once.
 * @type {(bench: Bench, server: Server, keys: Record<string, Place>) => Promise<void>}
 */
async function measureTokens({ upstream, load }, server, keys) {
  const pipe = await start('pipe.mjs', [String(upstream)])
  const piped = { url: `http://127.0.0.1:${pipe.first.port}${PATH}` }
  /** @type {(place: Place, amount: number) => Promise<Reading[]>} */
  const stream = (place, amount) => {
    const body = ask(wish(amount, PER_SECOND, 0), true)
    return read(load, { kind: 'pipe', ...place, body, count: STREAMS, rampMs: 1000 })
  }
  /** @type {(pid: number, place: Place) => Promise<number>} */
  const cost = async (pid, place) => {
    let pieces = 0
    const micros = await costPerToken(pid, STREAMS * 1000, async () => {
      const readings = await stream(place, 1000)
      pieces = readings.reduce((sum, reading) => sum + reading.pieces, 0)
      return readings
    })
    console.log(
      `  ${micros.toFixed(1)} µs a token, ${((STREAMS * 1000) / pieces).toFixed(1)} at once: ${place.key ? 'us' : 'pipe'}`,
    )
    return micros
  }
  for (const place of [piped, ...Object.values(keys)]) await stream(place, 200)
  /** @type {number[]} */
  const limits = []
  /** @type {Record<string, number[]>} */
  const ours = Object.fromEntries(Object.keys(keys).map((name) => [name, []]))
  for (let round = 0; round < ROUNDS; round++) {
    limits.push(await cost(Number(pipe.child.pid), piped))
    for (const [name, place] of Object.entries(keys)) ours[name]?.push(await cost(server.pid, place))
  }
  pipe.child.disconnect()
  for (const [name, costs] of Object.entries(ours))
    report(
      `gateway: processor time per token, server and database, ${STREAMS} streams × ${PER_SECOND} tokens/s, ${name} (limit: a raw Node pipe)`,
      quantile(costs, 0.5),
      quantile(limits, 0.5),
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
