// What streaming costs: processor time per token against a raw byte pipe in the same run, and what we add to the time
// to the first token.
import { openTalk } from '../../tests/support/chat.ts'
import { memoryOf, start } from './processes.mjs'
import { costPerToken, read, wish } from './readers.mjs'
import { quantile, report } from './report.mjs'

/**
 * @typedef {import('./readers.mjs').Bench} Bench
 * @typedef {import('./readers.mjs').Reading} Reading
 * @typedef {import('./readers.mjs').Server} Server
 */

/** One conversation for each reader. @type {(url: string, count: number, text: string) => Promise<object[]>} */
async function openTalks(url, count, text) {
  const { user, agentId, conversationId } = await openTalk(url, { model_provider: 'openai' })
  const ids = [conversationId]
  while (ids.length < count) {
    const { body } = await user.post(`/api/agents/${agentId}/conversations`, {})
    ids.push(String(body.conversation?.id))
  }
  return ids.map((id) => ({ url, token: user.token, conversationId: id, text }))
}

/** @type {(bench: Bench, server: Server) => Promise<void>} */
export async function measureCpu({ upstream, load }, server) {
  const streams = 200
  const [tokens, perSecond] = [1000, 100]
  const pipe = await start('pipe.mjs', [String(upstream)])
  const pid = Number(pipe.child.pid)
  const url = `http://127.0.0.1:${pipe.first.port}/v1/responses`
  /** @type {(amount: number) => Promise<Reading[]>} */
  const throughPipe = (amount) =>
    read(load, { kind: 'pipe', url, body: wish(amount, perSecond, 0), count: streams, rampMs: 1000 })
  /** @type {(amount: number) => Promise<Reading[]>} */
  const throughUs = async (amount) =>
    read(load, {
      kind: 'chat',
      talks: await openTalks(server.url, streams, wish(amount, perSecond, 0)),
      rampMs: 1000,
    })
  await throughPipe(200)
  await throughUs(200)
  /** @type {{ pipe: number[], us: number[] }} */
  const cost = { pipe: [], us: [] }
  for (let round = 0; round < 3; round++) {
    cost.pipe.push(await costPerToken(pid, streams * tokens, () => throughPipe(tokens)))
    const talks = await openTalks(server.url, streams, wish(tokens, perSecond, 0))
    cost.us.push(
      await costPerToken(server.pid, streams * tokens, () =>
        read(load, { kind: 'chat', talks, rampMs: 1000 }),
      ),
    )
    console.log(
      `  round ${round + 1}: pipe ${cost.pipe[round]?.toFixed(1)} µs, us ${cost.us[round]?.toFixed(1)} µs a token`,
    )
  }
  pipe.child.disconnect()
  report(
    `processor time per token, server and database, ${streams} replies × ${perSecond} tokens/s (limit: a raw Node pipe)`,
    quantile(cost.us, 0.5),
    quantile(cost.pipe, 0.5),
    'µs',
  )
}

/** Time to the first token through us over asking upstream itself, one reply at a time. @type {(bench: Bench, server: Server, thinkMs: number) => Promise<void>} */
export async function measureFirstToken({ upstream, load }, server, thinkMs) {
  const url = `http://127.0.0.1:${upstream}/v1/responses`
  const text = wish(3, 100, thinkMs)
  const talks = await openTalks(server.url, 120, text)
  const through = []
  const direct = []
  for (const talk of talks) {
    through.push(...(await read(load, { kind: 'chat', talks: [talk], rampMs: 0 })))
    direct.push(...(await read(load, { kind: 'pipe', url, body: text, count: 1, rampMs: 0 })))
  }
  /** @type {(readings: Reading[]) => number} */
  const median = (readings) =>
    quantile(
      readings.slice(20).map(({ firstMs }) => firstMs),
      0.5,
    )
  console.log(
    `  first token: through us ${median(through).toFixed(1)} ms, directly ${median(direct).toFixed(1)} ms`,
  )
  const model = thinkMs === 0 ? 'a model that answers at once' : `a model that thinks for ${thinkMs} ms`
  report(
    `added time to first token, p50, one reply, warm, ${model}`,
    median(through) - median(direct),
    5,
    'ms',
  )
}

/** A thousand replies at once: all are whole, and the first token is not late. @type {(bench: Bench, server: Server) => Promise<void>} */
export async function measureCrowd({ upstream, load }, server) {
  const count = 1000
  const [rampMs, perSecond] = [20_000, 5]
  // Long enough that the first is still running when the last begins.
  const text = wish(150, perSecond, 200)
  const talks = await openTalks(server.url, count, text)
  const url = `http://127.0.0.1:${upstream}/v1/responses`
  const direct = await read(load, {
    kind: 'pipe',
    url,
    body: wish(2, perSecond, 200),
    count: 200,
    rampMs: 4000,
  })
  const before = memoryOf(server.pid)
  const reading = read(load, { kind: 'chat', talks, rampMs })
  await new Promise((done) => setTimeout(done, rampMs + 4000))
  const during = memoryOf(server.pid)
  const readings = await reading
  const whole = readings.filter(({ tokens, isWhole }) => tokens === 150 && isWhole).length
  console.log(
    `  ${whole} of ${count} replies whole; memory ${before.toFixed(0)} MB before, ${during.toFixed(0)} MB while they run`,
  )
  if (whole < count) throw new Error(`${count - whole} replies are not whole`)
  /** @type {(all: Reading[]) => number[]} */
  const firsts = (all) => all.map(({ firstMs }) => firstMs)
  const added = quantile(firsts(readings), 0.99) - quantile(firsts(direct), 0.5)
  report(`added time to first token, p99, ${count} replies at once`, added, 500, 'ms')
  report(`memory of ${count} running replies with a follower each`, during - before, 100, 'MB')
}
