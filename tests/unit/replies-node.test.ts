import { randomUUID } from 'node:crypto'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { publish, subscribe } from '../../lib/bus'
import { AppError } from '../../lib/errors'
import { tellFrames } from '../../lib/replies/bus'
import { isTerminal } from '../../lib/replies/frame'
import { readWhole } from '../../lib/replies/log'
import { postgresLog } from '../../lib/replies/postgres-log'
import type { ReplySource } from '../../lib/replies/write'
import { giveUp, makeNode, makeOpening, prepareReplies, readToEnd, until } from '../support/reply-bench'
import type { Fault } from '../support/reply-faults'
import { LossyBus } from '../support/reply-lossy-bus'

const rows = prepareReplies()

const forLong = 60_000
const typesIn = (frames: { type: string }[]) => frames.map(({ type }) => type)
const textIn = (frames: { text: string }[]) => frames.map(({ text }) => text).join('')
const readStored = (replyId: string) => readWhole(postgresLog, replyId)
const refuseForGood: Fault = { kind: 'refused', call: 'append', times: 1, ms: 0, code: 'internal' }

/** Hangs on until it is told to end, as a model that has nothing to say. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason))
  })

/** Says its pieces from after `from` on, numbered for whoever goes on, and then nothing more. */
const sayEndlessly =
  (pieces: string[], from = 0): ReplySource =>
  async (sink, signal) => {
    await sink.serving({ provider: 'p', model: 'm' })
    sink.resumable()
    for (const [n, piece] of pieces.entries()) if (n >= from) await sink.text(piece, n + 1)
    await untilAborted(signal)
  }

const untilCommitted = (replyId: string, lastSeq: number) =>
  until(async () => (await postgresLog.findProgress([replyId]))[0]?.lastSeq === lastSeq)

test('what an answer cost is counted although the ledger was away when it ended', async () => {
  const { node } = makeNode(randomUUID())
  const { replyId } = await rows.insert(node.nodeId, forLong)
  let tries = 0
  const counted: string[] = []
  const opening = makeOpening(async ({ type }) => {
    if (++tries < 4) throw new AppError('unavailable', 'The database is away.')
    counted.push(type)
  })
  node.open(replyId, opening, async (sink) => void (await sink.text('dear')))
  expect(typesIn(await readToEnd(node, replyId))).toEqual(['text', 'completed'])
  expect(counted).toEqual(['completed'])
})

test('a ledger that refuses for good does not hold the answer up', async () => {
  const { node } = makeNode(randomUUID())
  const { replyId } = await rows.insert(node.nodeId, forLong)
  const opening = makeOpening(async () => {
    throw new AppError('not_found', 'This user is gone.')
  })
  node.open(replyId, opening, async (sink) => void (await sink.text('dear')))
  expect(typesIn(await readToEnd(node, replyId))).toEqual(['text', 'completed'])
})

test('what a source says after its reply was given up is not written, so that the numbers have no gap', async () => {
  const { node, weather } = makeNode(randomUUID())
  const { replyId } = await rows.insert(node.nodeId, forLong)
  node.open(replyId, makeOpening(), async (sink, signal) => {
    await sink.text('kept')
    await untilCommitted(replyId, 0)
    weather.add(refuseForGood)
    await sink.text('given up')
    await untilAborted(signal).catch(() => undefined)
    await sink.text('read before the line was cut')
  })
  expect(typesIn(await readToEnd(node, replyId))).toEqual(['text', 'failed'])
  const stored = await readStored(replyId)
  expect(stored.map(({ seq, type }) => [seq, type])).toEqual([
    [0, 'text'],
    [1, 'failed'],
  ])
})

test('frames that were given up and land late do not come after the end', async () => {
  const { node, weather } = makeNode(randomUUID())
  const { replyId } = await rows.insert(node.nodeId, forLong)
  weather.add({ ...refuseForGood, kind: 'lands later', ms: 0 })
  // They land while the end is counted, when what is on disk has been read already.
  const opening = makeOpening(async () => {
    await sleep(20)
    await Promise.all(weather.stray)
  })
  node.open(replyId, opening, async (sink, signal) => {
    await sink.text('one')
    await sink.reasoning('two')
    await untilAborted(signal)
  })
  const seen = await readToEnd(node, replyId)
  expect(await readStored(replyId)).toEqual(seen)
  expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, n) => n))
  expect(seen.flatMap((frame) => (isTerminal(frame) ? [frame.seq] : []))).toEqual([seen.length - 1])
})

test('a stop is kept although the server crashes right after it', async () => {
  const [first, second] = [makeNode(randomUUID()), makeNode(randomUUID())]
  const { replyId } = await rows.insert(first.node.nodeId, 150)
  first.node.open(replyId, makeOpening(), sayEndlessly(['a', 'b']))
  await untilCommitted(replyId, 0)
  first.weather.add({ kind: 'refused', call: 'finish', times: 1, ms: 0, code: 'unavailable' })
  await first.node.stop(replyId)
  first.weather.die(false)
  await second.node.start(async () => ({ opening: makeOpening(), source: sayEndlessly(['a', 'b'], 2) }))
  expect(typesIn(await readToEnd(second.node, replyId)).at(-1)).toBe('stopped')
  await second.node.close()
})

test('a stop reaches the writer from a server that has lost the reply and does not know it', async () => {
  const bus = new LossyBus(['arrives'])
  const [first, second] = [
    makeNode(randomUUID(), { bus: bus.at(0) }),
    makeNode(randomUUID(), { bus: bus.at(1) }),
  ]
  const { replyId } = await rows.insert(first.node.nodeId, -1)
  let isTaken = false
  const unaware: ReplySource = async (sink, signal) => {
    await sink.serving({ provider: 'p', model: 'm' })
    await untilAborted(signal)
  }
  first.node.open(replyId, makeOpening(), unaware)
  await second.node.start(async () => {
    isTaken = true
    return { opening: makeOpening(), source: sayEndlessly(['a']) }
  })
  await until(() => isTaken)
  await first.node.stop(replyId)
  expect(typesIn(await readToEnd(second.node, replyId)).at(-1)).toBe('stopped')
  await Promise.all([first.node.close(), second.node.close()])
})

test('what was stopped before its server crashed is not asked for again', async () => {
  const { node } = makeNode(randomUUID())
  const { replyId } = await rows.insert('gone', -1)
  await postgresLog.requestStop(replyId)
  const wanted: boolean[] = []
  await node.start(async () => ({
    opening: makeOpening(),
    source: async (_, signal) => void wanted.push(!signal.aborted),
  }))
  expect(typesIn(await readToEnd(node, replyId))).toEqual(['stopped'])
  expect(wanted).toEqual([false])
  await node.close()
})

test('leases are renewed while many abandoned replies are adopted, and nobody adopts one twice', async () => {
  const timings = { leaseMs: 800, renewEveryMs: 100 }
  const [first, second] = [makeNode(randomUUID(), { timings }), makeNode(randomUUID(), { timings })]
  const { replyId: running } = await rows.insert(first.node.nodeId, timings.leaseMs)
  first.node.open(running, makeOpening(), sayEndlessly(['a']))
  const gone = await Promise.all(Array.from({ length: 10 }, () => rows.insert('gone', -1)))
  const adopted: string[] = []
  const adopt =
    (by: string) =>
    async ({ replyId }: { replyId: string }) => {
      adopted.push(`${by} ${replyId}`)
      await sleep(250)
      return { opening: makeOpening(), source: sayEndlessly([]) }
    }
  const started = first.node.start(adopt('first'))
  await until(() => adopted.length > 0)
  await second.node.start(adopt('second'))
  await started
  await sleep(1000)
  expect(adopted.sort()).toEqual(gone.map(({ replyId }) => `first ${replyId}`).sort())
  await Promise.all([first.node.close(), second.node.close()])
})

test('an answer that is handed over in the middle of a character is gone on with there', async () => {
  const { node } = makeNode(randomUUID())
  const { replyId } = await rows.insert(node.nodeId, forLong)
  node.open(replyId, makeOpening(), sayEndlessly(['a', '\ud83d']))
  await untilCommitted(replyId, 0)
  await node.close()
  expect(await readStored(replyId)).toEqual([{ seq: 0, type: 'text', text: 'a', cursor: 1 }])
})

test('a follower beside the writer hears of a frame whose message was lost, though nothing more is said', async () => {
  const { node } = makeNode(randomUUID(), { bus: new LossyBus(['arrives', 'lost', 'lost']).at(0) })
  const { replyId } = await rows.insert(node.nodeId, forLong)
  await node.start(async () => ({ opening: makeOpening(), source: null }))
  const seen: string[] = []
  const leaving = new AbortController()
  const followed = (async () => {
    for await (const frames of node.follow(replyId, -1, leaving.signal)) seen.push(textIn(frames))
  })()
  await sleep(20)
  node.open(replyId, makeOpening(), async (sink, signal) => {
    await sink.text('heard ')
    await untilCommitted(replyId, 0)
    await sink.text('and lost')
    await untilAborted(signal)
  })
  await until(() => seen.join('') === 'heard and lost')
  leaving.abort()
  await followed
  await node.close()
})

test('where no message gets through, a reply is followed, and stopped, on another server all the same', async () => {
  // Each has a bus of its own.
  const [first, second] = [makeNode(randomUUID()), makeNode(randomUUID())]
  const { replyId } = await rows.insert(first.node.nodeId, 150)
  await Promise.all([first, second].map(({ node }) => node.start(giveUp)))
  first.node.open(replyId, makeOpening(), sayEndlessly(['a', 'b', 'c']))
  const followed = readToEnd(second.node, replyId)
  await untilCommitted(replyId, 0)
  await second.node.stop(replyId)
  const seen = await followed
  expect(textIn(seen)).toBe('abc')
  expect(typesIn(seen).at(-1)).toBe('stopped')
  await Promise.all([first.node.close(), second.node.close()])
})

test('what a writer says that has lost its reply is shown to nobody', async () => {
  const { node } = makeNode(randomUUID())
  const { replyId } = await rows.insert(node.nodeId, -1)
  const seen: string[] = []
  const leaving = new AbortController()
  const followed = (async () => {
    for await (const frames of node.follow(replyId, -1, leaving.signal)) seen.push(textIn(frames))
  })()
  let isOver = false
  node.open(replyId, makeOpening(), async (sink, signal) => {
    await sink.text('mine')
    await untilCommitted(replyId, 0)
    await postgresLog.takeOver({ nodeId: 'other', leaseMs: forLong }, [], 100)
    await sink.text(' and not mine')
    await untilAborted(signal).catch(() => undefined)
    isOver = true
  })
  await until(() => isOver)
  await sleep(30)
  leaving.abort()
  await followed
  expect(seen).toEqual(['mine'])
})

test('a writer whose lease has run out counts nothing when another has its reply', async () => {
  const { node } = makeNode(randomUUID(), { timings: { leaseMs: 20 } })
  const { replyId } = await rows.insert(node.nodeId, 20)
  const counted: string[] = []
  let isOver = false
  node.open(
    replyId,
    makeOpening(async ({ type }) => void counted.push(type)),
    async (sink) => {
      await sink.text('all of it')
      await untilCommitted(replyId, 0)
      await sleep(40)
      await postgresLog.takeOver({ nodeId: 'other', leaseMs: forLong }, [], 100)
      isOver = true
    },
  )
  await until(() => isOver)
  await sleep(60)
  expect(await postgresLog.find(replyId)).toEqual({ type: 'running' })
  expect(counted).toEqual([])
})

test('a thousand followers of one reply cost little, whether they read or not', async () => {
  const collect = openCollector()
  const { node, bus } = makeNode(randomUUID(), { bus: { publish, subscribe } })
  const { replyId } = await rows.insert(node.nodeId, forLong)
  await postgresLog.append([{ replyId, epoch: 1, frames: [{ seq: 0, type: 'text', text: 'first' }] }])
  const leaving = new AbortController()
  let count = 0
  const idle = new Promise(() => {})
  const before = collect()
  for (let n = 0; n < 1000; n++) {
    void (async () => {
      for await (const frames of node.follow(replyId, -1, leaving.signal)) {
        count += frames.length
        // Every second one reads no further.
        if (n % 2 === 0) await idle
      }
    })()
  }
  await until(() => count === 1000)
  expect(collect() - before).toBeLessThan(20 * 2 ** 20)
  for (let seq = 1; seq <= 400; seq++) {
    tellFrames(bus, replyId, [{ seq, type: 'text', text: 'x'.repeat(1000) }])
    await setImmediate()
  }
  await until(() => count === 1000 + 500 * 400)
  expect(collect() - before).toBeLessThan(64 * 2 ** 20)
  leaving.abort()
})

/** Measures the heap in bytes, without its garbage. */
function openCollector(): () => number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  return () => {
    collect()
    return process.memoryUsage().heapUsed
  }
}
